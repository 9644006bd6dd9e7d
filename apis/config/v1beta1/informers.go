// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Informers are the caches that controllers share.
type Informers struct {
	// MinResyncPeriod is the shortest time after which every cached object is
	// handed to its controllers again; the real one is drawn once between one
	// and two times this. A change restarts every controller.
	MinResyncPeriod metav1.Duration `json:"minResyncPeriod" default:"12h" validate:"gt=0s" flag:"min-resync-period"`
	// Namespace is the only one in which controllers work: of objects that live in
	// namespaces they see those in it, and of namespaces it alone. Objects of the
	// whole cluster are seen as ever. Empty: all namespaces. A change restarts
	// every controller.
	Namespace string `json:"namespace" default:"" validate:"omitempty,dns_label" flag:"namespace"`
	// Linger is how long a cache that nobody uses any more is kept, so that a
	// controller which is soon started again need not list its objects.
	Linger metav1.Duration `json:"linger" default:"30s" validate:"gte=0s" change:"live"`
}
