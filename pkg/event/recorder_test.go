// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2/ktesting"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/event"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func object() *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", UID: "u"}}
}

func newRecorder(t *testing.T) (*event.Recorder, *fake.Clientset) {
	t.Helper()
	testkit.NoLeaks(t)
	api := fake.NewClientset()
	logger, _ := ktesting.NewTestContext(t)
	return event.NewRecorder("the-controller", api.CoreV1(), clock.RealClock{}, logger), api
}

func events(t *testing.T, api *fake.Clientset) []corev1.Event {
	t.Helper()
	list, err := api.CoreV1().Events("").List(context.Background(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func TestStopFlushes(t *testing.T) {
	r, api := newRecorder(t)
	r.Start()
	r.Eventf(object(), corev1.EventTypeNormal, "Created", "made %d of %d", 1, 2)
	r.Stop(context.Background())
	r.Event(object(), corev1.EventTypeNormal, "Late", "nobody hears this")
	r.Stop(context.Background())
	got := events(t, api)
	if len(got) != 1 {
		t.Fatalf("%d events, want 1", len(got))
	}
	e := got[0]
	if e.Reason != "Created" || e.Message != "made 1 of 2" || e.Source.Component != "the-controller" || e.ReportingController != "the-controller" ||
		e.InvolvedObject.UID != "u" || e.InvolvedObject.Kind != "Pod" || e.Count != 1 || e.Namespace != "ns" || e.FirstTimestamp.IsZero() {
		t.Errorf("%+v", e)
	}
}

func TestEqualEventsAreCounted(t *testing.T) {
	r, api := newRecorder(t)
	r.Start()
	for range 3 {
		r.Event(object(), corev1.EventTypeWarning, "Failed", "the same")
	}
	r.Stop(context.Background())
	if got := events(t, api); len(got) != 1 || got[0].Count != 3 {
		t.Errorf("%+v, want one event that happened three times", got)
	}
}

func TestSimilarEventsAreCombined(t *testing.T) {
	r, api := newRecorder(t)
	r.Start()
	for i := range 20 {
		r.Event(object(), corev1.EventTypeWarning, "Failed", fmt.Sprint("another ", i))
	}
	r.Stop(context.Background())
	combined := 0
	for _, e := range events(t, api) {
		if strings.HasPrefix(e.Message, "(combined from similar events): ") {
			combined++
		}
	}
	if combined != 1 || len(events(t, api)) > 11 {
		t.Errorf("%d events, %d of them combined", len(events(t, api)), combined)
	}
}

func TestStopDoesNotWaitForAServerThatIsAway(t *testing.T) {
	r, api := newRecorder(t)
	api.PrependReactor("create", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("connection refused")
	})
	r.Start()
	r.Event(object(), corev1.EventTypeNormal, "Created", "lost")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); r.Stop(ctx) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Stop hangs")
	}
}
