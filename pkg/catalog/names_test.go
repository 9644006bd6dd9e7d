// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
)

// Every name that --controllers understands stands for a section, and every
// section has a name.
func TestNamesAreThoseOfSections(t *testing.T) {
	var keys []string
	c := reflect.TypeFor[v1beta1.Controllers]()
	for i := range c.NumField() {
		if name, _ := tags.JSONName(c.Field(i)); name != "baseline" {
			keys = append(keys, name)
		}
	}
	names := slices.Sorted(maps.Values(catalog.Names()))
	if diff := cmp.Diff(keys, slices.Compact(names)); diff != "" {
		t.Errorf("(-sections +names)\n%s", diff)
	}
}

func TestTheBaselineIsWhatTheCatalogSays(t *testing.T) {
	for _, e := range catalog.Entries() {
		if e.Default == config.OffByDefault(e.Name) {
			t.Errorf("%s: on by default is %v in the catalog, and not in the tags of v1beta1.Controllers", e.Name, e.Default)
		}
	}
}

// Short names that people write in --controllers, upstream's and others.
func TestShortNames(t *testing.T) {
	names := catalog.Names()
	for line := range strings.SplitSeq(`endpoint endpoints-controller
		endpointslice endpointslice-controller
		deployment deployment-controller
		replicaset replicaset-controller
		statefulset statefulset-controller
		daemonset daemonset-controller
		job job-controller
		cronjob cronjob-controller
		namespace namespace-controller
		node node-lifecycle-controller
		service service-lb-controller
		route node-route-controller
		garbagecollector garbage-collector-controller
		ttl-after-finished ttl-after-finished-controller
		bootstrapsigner bootstrap-signer-controller
		csrapproving certificatesigningrequest-approving-controller
		csrsigning certificatesigningrequest-signing-controller
		csrcleaner certificatesigningrequest-cleaner-controller
		clusterrole-aggregation clusterrole-aggregation-controller
		pvc-protection persistentvolumeclaim-protection-controller
		pv-protection persistentvolume-protection-controller
		ttl ttl-controller
		root-ca-cert-publisher root-ca-certificate-publisher-controller
		ephemeral-volume ephemeral-volume-controller
		persistent-volume-binder persistentvolume-binder-controller
		attachdetach persistentvolume-attach-detach-controller
		nodeipam node-ipam-controller
		node-lifecycle node-lifecycle-controller
		resource-quota resourcequota-controller
		horizontalpodautoscaling horizontal-pod-autoscaler-controller
		disruption disruption-controller
		serviceaccount serviceaccount-controller
		serviceaccount-token serviceaccount-token-controller`, "\n") {
		words := strings.Fields(line)
		if got := names[words[0]]; got != words[1] {
			t.Errorf("%s stands for %q, want %s", words[0], got, words[1])
		}
	}
	implemented := catalog.Implemented()
	for _, d := range catalog.All() {
		if !implemented(d.Name) {
			t.Errorf("%s counts as not implemented", d.Name)
		}
	}
	if implemented("service-lb-controller") {
		t.Error("no cloud provider is built in")
	}
}
