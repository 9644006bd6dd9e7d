// SPDX-License-Identifier: Apache-2.0

package rootca

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	certutil "k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// certificate is a new one, in PEM.
func certificate(t *testing.T) string {
	t.Helper()
	pem, _, err := certutil.GenerateSelfSignedCertKey("ca", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem)
}

func open(path, inline string) (*Bundle, error) {
	return Open(path, []byte(inline), clock.RealClock{}, klog.Background())
}

func TestWithoutFile(t *testing.T) {
	for _, inline := range []string{"cluster", ""} {
		b, err := open("", inline)
		if err != nil || string(b.PEM()) != inline || b.Health() != nil {
			t.Errorf("got %q, %v", b.PEM(), err)
		}
		b.Run(t.Context(), nil) // has nothing to do
	}
}

func TestUnusableFiles(t *testing.T) {
	for name, content := range map[string]string{
		"empty":  "",
		"no PEM": "hello",
		"a key":  "-----BEGIN PRIVATE KEY-----\nMTIz\n-----END PRIVATE KEY-----\n",
	} {
		path := write(t, filepath.Join(t.TempDir(), "ca.crt"), content)
		_, err := open(path, "cluster")
		if want := "error parsing root-ca-file at " + path + ": "; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s...", name, err, want)
		}
	}
	if _, err := open(filepath.Join(t.TempDir(), "none"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
}

func TestFileIsFollowed(t *testing.T) {
	// Not a byte is trimmed.
	first, second := "# a comment\n\n"+certificate(t)+"\n \n", certificate(t)
	path := write(t, filepath.Join(t.TempDir(), "ca.crt"), first)
	b, err := open(path, "cluster")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, changes := make(chan struct{}), make(chan string, 10)
	go func() {
		defer close(done)
		b.Run(ctx, func() { changes <- string(b.PEM()) })
	}()
	becomes := func(want string, healthy bool) {
		t.Helper()
		testkit.Eventually(t, 30*time.Second, func() error {
			if got, err := string(b.PEM()), b.Health(); got != want || (err == nil) != healthy {
				return errors.Join(errors.New(got), err)
			}
			return nil
		})
	}
	becomes(first, true)
	write(t, path, "broken")
	becomes(first, false)
	if err := b.Health(); !strings.HasPrefix(err.Error(), "error parsing root-ca-file at "+path) {
		t.Errorf("health %v", err)
	}
	write(t, path, second)
	becomes(second, true)
	if got := <-changes; got != second {
		t.Errorf("told of %q", got)
	}
	cancel()
	<-done
	if len(changes) != 0 {
		t.Errorf("told %d times more", len(changes))
	}
}
