// SPDX-License-Identifier: Apache-2.0

package legacyserviceaccounttokencleaner

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

const (
	// trackingName is the ConfigMap in which the API server says since when it notes
	// the use of tokens.
	trackingName = "kube-apiserver-legacy-service-account-token-tracking"
	trackingKey  = "since"
)

// pass looks at every token Secret once. It ends early when the run is to stop.
func (c *cleaner) pass(stop context.Context) {
	ctx, now := c.Work(), c.clock.Now().UTC()
	since, err := c.trackedSince(ctx)
	if err != nil {
		c.complain(ctx, err, "It is unknown since when the use of tokens is tracked, no token Secret is looked at")
		return
	}
	enough, err := ripe(since, now, c.period)
	if err != nil {
		c.complain(ctx, err, "It is unreadable since when the use of tokens is tracked, no token Secret is looked at")
		return
	}
	if !enough {
		c.logger.V(4).Info("The use of tokens was not tracked for long enough yet", "since", since, "period", c.period)
		return
	}
	l, u := limitOf(now, c.period), newUsage(c.pods.InNamespace)
	for _, s := range c.secrets.List() {
		if stop.Err() != nil {
			return
		}
		switch decide(s, c.accountOf(s), l, u.of) {
		case mark:
			c.mark(ctx, s, now)
		case remove:
			c.remove(ctx, s)
		case keep:
		}
	}
}

func (c *cleaner) trackedSince(ctx context.Context) (string, error) {
	cm, err := c.client.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, trackingName, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	since, found := cm.Data[trackingKey]
	if !found {
		return "", fmt.Errorf("ConfigMap %s/%s: no key %q", metav1.NamespaceSystem, trackingName, trackingKey)
	}
	return since, nil
}

func (c *cleaner) accountOf(s *corev1.Secret) *corev1.ServiceAccount {
	name := s.Annotations[corev1.ServiceAccountNameKey]
	if name == "" {
		return nil
	}
	account, found := c.accounts.Get(s.Namespace, name)
	if !found {
		return nil
	}
	return account
}

// mark takes a token out of service as of today.
func (c *cleaner) mark(ctx context.Context, s *corev1.Secret, now time.Time) {
	patch, err := json.Marshal(applycorev1.Secret(s.Name, s.Namespace).WithUID(s.UID).
		WithLabels(map[string]string{invalidSinceLabel: now.Format(time.DateOnly)}))
	if err == nil {
		_, err = c.client.CoreV1().Secrets(s.Namespace).Patch(ctx, s.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	}
	if err != nil {
		c.complain(ctx, err, "Marking an unused token Secret as invalid failed", "secret", klog.KObj(s))
		return
	}
	c.logger.Info("An unused token Secret was marked as invalid", "secret", klog.KObj(s), "lastUsed", s.Labels[lastUsedLabel])
}

// remove deletes a Secret as it was seen: one that was changed meanwhile, by the
// removal of its mark for example, stays.
func (c *cleaner) remove(ctx context.Context, s *corev1.Secret) {
	err := c.client.CoreV1().Secrets(s.Namespace).Delete(ctx, s.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &s.ResourceVersion}})
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
	case err != nil:
		c.complain(ctx, err, "Deleting an unused token Secret failed", "secret", klog.KObj(s))
	default:
		c.logger.Info("An unused token Secret was deleted", "secret", klog.KObj(s), "invalidSince", s.Labels[invalidSinceLabel])
	}
}

// complain logs what stands until the next pass, unless it only means that the run
// is being stopped.
func (c *cleaner) complain(ctx context.Context, err error, message string, keysAndValues ...any) {
	if !controller.IsStopping(ctx, err) {
		c.logger.Error(err, message, keysAndValues...)
	}
}
