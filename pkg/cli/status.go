// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kube-live/kube-controller-manager/pkg/status"
)

const (
	// exitProblems is the status of status when somebody should look.
	exitProblems = 2
	// watchPeriod is how often --watch looks.
	watchPeriod = 2 * time.Second
)

func statusCommand() *cobra.Command {
	var from running
	var output string
	var watch bool
	formats := []string{"table", "json", "yaml"}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what a running manager does",
		Long: "status asks a running manager, and prints its configuration in effect, who leads,\n" +
			"and its controllers; those that need a look come first. The same is on the page\n" +
			"that the manager serves at /. Who asks needs the right to get the nonResourceURL\n" +
			status.Path + ". A standby answers for itself: its controllers wait.\n\n" +
			"Exit status: 0 all is well, 2 a configuration is not in effect or a controller\n" +
			"failed, is stuck or unhealthy, 1 the manager cannot be asked. --watch ends with 0\n" +
			"at Ctrl-C.",
		Example: "  kube-controller-manager status --insecure-skip-tls-verify --watch\n" +
			"  kube-controller-manager status --server https://10.0.0.7:10257 --ca-file ca.crt -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := render(status.Document{}, output, formats); err != nil {
				return err
			}
			c, err := from.connect()
			if err != nil {
				return err
			}
			if watch {
				ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
				defer stop()
				return c.watchStatus(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), output, formats)
			}
			var d status.Document
			if err := c.get(cmd.Context(), status.Path, &d); err != nil {
				return err
			}
			text, err := render(d, output, formats)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(cmd.OutOrStdout(), text); err != nil {
				return err
			}
			if !d.Healthy() {
				return &ExitError{Code: exitProblems}
			}
			return nil
		},
	}
	from.flags(cmd, defaultServer)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on until Ctrl-C, looking every 2 s; a terminal is drawn anew, elsewhere each state is appended")
	outputFlag(cmd, &output, formats)
	return cmd
}

func render(d status.Document, output string, formats []string) (string, error) {
	if output == "table" {
		return d.Text(), nil
	}
	var b strings.Builder
	err := write(&b, output, d, formats)
	return b.String(), err
}

// clear is what makes a terminal empty, with the next text at its top.
const clear = "\x1b[H\x1b[2J\x1b[3J"

// watchStatus prints every state until the context ends. The first answer must
// come; later ones may fail for a while.
func (c *connection) watchStatus(ctx context.Context, out, complaints io.Writer, output string, formats []string) error {
	redraw := output == "table" && terminal(out)
	ticker := time.NewTicker(watchPeriod)
	defer ticker.Stop()
	for first := true; ; first = false {
		var d status.Document
		err := c.get(ctx, status.Path, &d)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && first:
			return err
		case err != nil:
			_, err = fmt.Fprintf(complaints, "%s: %v\n", time.Now().UTC().Format(time.TimeOnly), err)
		default:
			err = c.showState(d, out, redraw, first, output, formats)
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (c *connection) showState(d status.Document, out io.Writer, redraw, first bool, output string, formats []string) error {
	text, err := render(d, output, formats)
	if err != nil {
		return err
	}
	switch {
	case redraw:
		text = clear + text + "\n" + d.Time.Format(time.TimeOnly) + " UTC, every 2 s; Ctrl-C ends it\n"
	case output == "yaml":
		text = "---\n" + text
	case output == "table" && !first:
		text = "\n--- " + d.Time.Format(time.RFC3339) + "\n" + text
	}
	_, err = io.WriteString(out, text)
	return err
}

// terminal says whether a person looks at what is written.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
