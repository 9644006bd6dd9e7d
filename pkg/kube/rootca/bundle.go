// SPDX-License-Identifier: Apache-2.0

// Package rootca has the CA bundle with which workloads verify the API server, kept
// as it is in its file.
package rootca

import (
	"context"
	"fmt"

	certutil "k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/material"
)

// Bundle is a CA bundle.
type Bundle struct {
	path   string
	inline []byte
	files  *material.Files[[]byte] // nil without a file
}

// Open reads the bundle from a file, in which there must be a certificate. Without
// a file the bundle is the one inside the manager's kubeconfig, which may be empty
// and does not change.
func Open(path string, inline []byte, clock clock.WithTicker, logger klog.Logger) (*Bundle, error) {
	b := &Bundle{path: path, inline: inline}
	if path == "" {
		return b, nil
	}
	var err error
	if b.files, err = material.Open([]string{path}, parse, clock, logger); err != nil {
		return nil, b.broken(err)
	}
	return b, nil
}

// parse returns the content byte for byte when it has a certificate.
func parse(contents [][]byte) ([]byte, error) {
	_, err := certutil.ParseCertsPEM(contents[0])
	return contents[0], err
}

func (b *Bundle) broken(err error) error {
	return fmt.Errorf("error parsing root-ca-file at %s: %w", b.path, err)
}

// PEM is the bundle as it was last good, and as it was written. It is shared.
func (b *Bundle) PEM() []byte {
	if b.files == nil {
		return b.inline
	}
	return b.files.Current()
}

// Run follows the file, if there is one, until the context ends, and calls changed
// after each new bundle.
func (b *Bundle) Run(ctx context.Context, changed func()) {
	if b.files != nil {
		b.files.Run(ctx, changed)
	}
}

// Health says why the file as it is now is not in use; nil when it is.
func (b *Bundle) Health() error {
	if b.files == nil {
		return nil
	}
	if err := b.files.Health(); err != nil {
		return b.broken(err)
	}
	return nil
}
