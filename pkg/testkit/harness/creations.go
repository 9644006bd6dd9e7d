// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// Creations watches the pods of a scene and counts those that are created. It
// tells how far a controller is with its work, and what it has done twice.
type Creations struct {
	watch.Interface
	// Count is how many creations were seen.
	Count int

	t testing.TB
}

// Creations counts from now on, until the test's end.
func (s *Scene) Creations() *Creations {
	s.T.Helper()
	pods, err := s.Admin.CoreV1().Pods(s.NS).Watch(s.Ctx, metav1.ListOptions{})
	s.Must(err)
	s.T.Cleanup(pods.Stop)
	return &Creations{Interface: pods, t: s.T}
}

// Reach waits until so many pods were created.
func (c *Creations) Reach(n int) {
	c.t.Helper()
	for c.Count < n {
		switch e := <-c.ResultChan(); e.Type {
		case watch.Added:
			c.Count++
		case watch.Error, "": // the watch has ended
			c.t.Fatalf("%d of %d pods were created: %v", c.Count, n, e.Object)
		}
	}
}
