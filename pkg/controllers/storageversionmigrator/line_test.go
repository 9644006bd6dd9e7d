// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// line is where the controller reads and writes objects: patches are written down,
// and a test can answer in the server's place.
type line struct {
	mu      sync.Mutex
	patched []string
	answer  func(*http.Request) *http.Response
}

func (l *line) wrap(next http.RoundTripper) http.RoundTripper {
	return testkit.RoundTripper(func(r *http.Request) (*http.Response, error) {
		l.mu.Lock()
		if r.Method == http.MethodPatch {
			l.patched = append(l.patched, path.Base(r.URL.Path))
		}
		answer := l.answer
		l.mu.Unlock()
		if answer != nil {
			if resp := answer(r); resp != nil {
				return resp, nil
			}
		}
		return next.RoundTrip(r)
	})
}

func (l *line) answerWith(f func(*http.Request) *http.Response) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = f
}

// patches are the names of the objects that were patched, in order.
func (l *line) patches() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.patched...)
}

// refuse answers requests about one object with a status.
func refuse(name string, status metav1.Status) func(*http.Request) *http.Response {
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	status.Status = metav1.StatusFailure
	return func(r *http.Request) *http.Response {
		if path.Base(r.URL.Path) != name {
			return nil
		}
		return reply(r, int(status.Code), status)
	}
}

// reply is an answer in JSON.
func reply(r *http.Request, code int, v any) *http.Response {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // of a test's own value
	}
	return &http.Response{
		StatusCode: code, Proto: "HTTP/2.0", ProtoMajor: 2, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
	}
}
