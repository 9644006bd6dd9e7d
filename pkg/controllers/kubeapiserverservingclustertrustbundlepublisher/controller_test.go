// SPDX-License-Identifier: Apache-2.0

package kubeapiserverservingclustertrustbundlepublisher

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func TestPublishes(t *testing.T) {
	f := setUp(t)
	f.clear()
	f.create("example.com:a:other", "example.com/a", f.ca)
	defer f.delete("example.com:a:other")
	f.Start(Descriptor(), nil)
	first := f.published()

	t.Run("deleted", func(t *testing.T) {
		f.delete(first.Name)
		testkit.Eventually(t, harness.Timeout, func() error {
			b, err := f.bundles.Get(t.Context(), first.Name, metav1.GetOptions{})
			if err == nil && b.UID == first.UID {
				return errors.New("still the old one")
			}
			return err
		})
		f.published()
	})
	t.Run("edited", func(t *testing.T) {
		b := f.published()
		b.Spec.TrustBundle = newCA(t)
		b.Labels = map[string]string{"kept": "yes"}
		_, err := f.bundles.Update(t.Context(), b, metav1.UpdateOptions{})
		f.Must(err)
		if b = f.published(); b.Labels["kept"] != "yes" {
			t.Errorf("labels %v, want them kept", b.Labels)
		}
	})
	t.Run("another of the signer", func(t *testing.T) {
		version := f.published().ResourceVersion
		f.create("kubernetes.io:kube-apiserver-serving:testname", signer, newCA(t))
		if b := f.published(); b.ResourceVersion != version {
			t.Error("the right one was written again")
		}
	})
	if _, err := f.bundles.Get(t.Context(), "example.com:a:other", metav1.GetOptions{}); err != nil {
		t.Errorf("the bundle of another signer: %v", err)
	}
	if n := f.syncs("200"); n < 4 {
		t.Errorf("%v successful syncs", n)
	}
	if n, _ := f.Metric("clustertrustbundle_publisher_sync_duration_seconds", map[string]string{"code": "200"}); n < 4 {
		t.Errorf("%v measured syncs", n)
	}
	if n, _ := f.Metric("workqueue_adds_total", map[string]string{"name": "ca_cert_publisher_cluster_trust_bundles"}); n < 4 {
		t.Errorf("%v keys were queued", n)
	}
}

func TestAnotherCA(t *testing.T) {
	f := setUp(t)
	run := f.Start(Descriptor(), nil)
	f.published()
	run.Stop()
	if _, found := f.Metric("clustertrustbundle_publisher_sync_total", nil); found {
		t.Error("a stopped controller still has metrics")
	}
	path := f.file()
	run = f.Start(Descriptor(), from(path))
	f.published()

	// While it runs.
	f.ca = newCA(t) + newCA(t)
	f.write(path, f.ca)
	f.published()

	f.write(path, "garbage")
	run.Healthy(false)
	f.published()
	f.write(path, f.ca)
	run.Healthy(true)

	// The API server refuses a certificate that is there twice: then the old bundle
	// must stay.
	ca := newCA(t)
	f.write(path, ca+ca)
	testkit.Eventually(t, harness.Timeout, func() error {
		if n := f.syncs("422"); n < 2 {
			return fmt.Errorf("%v failed syncs", n)
		}
		return nil
	})
	f.published()
	f.ca = ca
	f.write(path, f.ca)
	f.published()
}

func TestWaitsForTheAPI(t *testing.T) {
	f := setUp(t)
	f.clear()
	clock := clocktesting.NewFakeClock(time.Now())
	f.Kit.Clock = clock
	var state atomic.Int32
	a := &answers{instead: func(string) error {
		switch state.Load() {
		case 0:
			return notFound()
		case 1:
			return errors.New("no discovery today")
		}
		return nil
	}}
	f.Start(believing(a), nil)
	// asked steps the clock until discovery was asked this often.
	asked := func(times int32) {
		t.Helper()
		testkit.Eventually(t, harness.Timeout, func() error {
			clock.Step(lookAgain)
			if n := a.asked.Load(); n < times {
				return fmt.Errorf("asked %d times", n)
			}
			return nil
		})
	}
	asked(6)
	state.Store(1)
	asked(a.asked.Load() + 5)
	if got := f.list(); len(got) > 0 {
		t.Errorf("published %v", got)
	}
	state.Store(2)
	asked(a.asked.Load() + 1)
	testkit.Eventually(t, harness.Timeout, func() error {
		clock.Step(cachePoll)
		if len(f.list()) == 0 {
			return errors.New("not published")
		}
		return nil
	})
	f.published()
}

func TestOlderVersion(t *testing.T) {
	f := setUp(t)
	f.clear()
	a := &answers{instead: func(groupVersion string) error {
		if groupVersion == "certificates.k8s.io/v1" {
			return notFound()
		}
		return nil
	}}
	f.Start(believing(a), nil)
	b := f.published()
	b.Spec.TrustBundle = newCA(t)
	_, err := f.bundles.Update(t.Context(), b, metav1.UpdateOptions{})
	f.Must(err)
	f.create("kubernetes.io:kube-apiserver-serving:testname", signer, newCA(t))
	f.published()
	if n := f.Requests.Count("list", "clustertrustbundles"); n > 1 {
		t.Errorf("%d lists", n)
	}
}

func TestAttaches(t *testing.T) {
	f := setUp(t)
	for what, c := range map[string]struct {
		instead func(string) error
		want    []string
		fails   bool
	}{
		"all":  {func(string) error { return nil }, []string{"v1"}, false},
		"none": {func(string) error { return notFound() }, nil, false},
		"old": {func(groupVersion string) error {
			if groupVersion == "certificates.k8s.io/v1" {
				return notFound()
			}
			return nil
		}, []string{"v1beta1"}, false},
		"error": {func(string) error { return errors.New("no discovery today") }, nil, true},
	} {
		var built controller.Controller
		d := controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.KubeAPIServerServingClusterTrustBundlePublisherController) (_ controller.Controller, err error) {
			env.API.Discovery = &answers{DiscoveryInterface: env.API.Discovery, instead: c.instead}
			built, err = New(env, section)
			return built, err
		})
		_, err := controller.Build(d, f.Kit, &v1beta1.Controllers{}, client.NewLedger())
		f.Must(err)
		got, err := attaches(t.Context(), built)
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

func TestBuild(t *testing.T) {
	f := setUp(t)
	build := func(data []byte, path string) error {
		c := &v1beta1.Controllers{}
		from(path)(c)
		d := controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.KubeAPIServerServingClusterTrustBundlePublisherController) (controller.Controller, error) {
			env.ClusterCA = data
			return New(env, section)
		})
		_, err := controller.Build(d, f.Kit, c, client.NewLedger())
		return err
	}
	if err := build([]byte(f.ca), ""); err != nil {
		t.Error(err)
	}
	if _, declined := controller.Declined(build(nil, "")); !declined {
		t.Error("built without a CA")
	}
	if err := build([]byte("garbage"), ""); err == nil {
		t.Error("built with something that is no CA")
	} else if _, declined := controller.Declined(err); declined {
		t.Errorf("declined: %v", err)
	}
	if err := build(nil, filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("built with a file that does not exist")
	}
	if err := build(nil, f.file()); err != nil {
		t.Error(err)
	}
}
