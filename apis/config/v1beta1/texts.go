// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Size is a number of bytes as Kubernetes writes it: 512, 4Ki, 3M.
type Size string

// mostSize is the length of the longest text that is read as a size. The time to
// read one grows with the square of its length.
const mostSize = 64

// UnmarshalText reads a size. The error names a text that is none.
func (s *Size) UnmarshalText(text []byte) error {
	if len(text) <= mostSize {
		if q, err := resource.ParseQuantity(string(text)); err == nil && q.Sign() >= 0 {
			*s = Size(q.String())
			return nil
		}
	}
	return fmt.Errorf("%q is not a size such as 512, 4Ki or 3M", text)
}

// Rebase makes relative paths relative to a folder.
func (c *NamedCertificate) Rebase(folder string) {
	for _, p := range []*string{&c.CertFile, &c.KeyFile} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
}

// MarshalText writes what UnmarshalText reads.
func (s Size) MarshalText() ([]byte, error) { return []byte(s), nil }

// ModuleLevel is the verbosity of the source files that match a pattern.
type ModuleLevel struct {
	// Pattern is the file's name without .go, or its path when it has a slash; *
	// and ? stand for other characters.
	Pattern string
	// Level is the verbosity, at least 0.
	Level int32
}

// UnmarshalText reads PATTERN=N. The error names a text that is not.
func (m *ModuleLevel) UnmarshalText(text []byte) error {
	pattern, level, found := strings.Cut(strings.TrimSpace(string(text)), "=")
	n, err := strconv.ParseInt(level, 10, 32)
	if !found || pattern == "" || err != nil || n < 0 {
		return fmt.Errorf("%q does not have the pattern=N format", text)
	}
	*m = ModuleLevel{Pattern: pattern, Level: int32(n)}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (m ModuleLevel) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%s=%d", m.Pattern, m.Level), nil
}

// NamedCertificate is a serving certificate for some host names.
type NamedCertificate struct {
	// CertFile is the certificate in PEM, leaf first.
	CertFile string
	// KeyFile is its key in PEM.
	KeyFile string
	// Names are the host names, with * for one label; without any, those in the
	// certificate.
	Names []string
}

// UnmarshalText reads CERT,KEY or CERT,KEY:NAME,NAME. The error names a text that
// is neither.
func (c *NamedCertificate) UnmarshalText(text []byte) error {
	files, names, _ := strings.Cut(string(text), ":")
	cert, key, found := strings.Cut(files, ",")
	cert, key = strings.TrimSpace(cert), strings.TrimSpace(key)
	if !found || cert == "" || key == "" || strings.Contains(key, ",") {
		return fmt.Errorf("%q is not CERTFILE,KEYFILE or CERTFILE,KEYFILE:NAME,NAME", text)
	}
	*c = NamedCertificate{CertFile: cert, KeyFile: key}
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.TrimSpace(name); name != "" {
			c.Names = append(c.Names, name)
		}
	}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (c NamedCertificate) MarshalText() ([]byte, error) {
	text := c.CertFile + "," + c.KeyFile
	if len(c.Names) > 0 {
		text += ":" + strings.Join(c.Names, ",")
	}
	return []byte(text), nil
}

// HasCommas tells package tags that commas do not divide a list of these.
func (NamedCertificate) HasCommas() {}
