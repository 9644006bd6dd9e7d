// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

// fieldManager sends the patches, none of which changes a field.
const fieldManager = "storage-version-migrator-controller"

// hopeless is why a migration cannot go on.
type hopeless string

// Error is part of error.
func (h hopeless) Error() string { return string(h) }

// rewrite brings a migration to its end.
func (c *migrator) rewrite(ctx context.Context, name string) error {
	m, found := c.migrations.Get("", name)
	if !found || !rewrites(m) {
		c.trials.forget(name)
		return nil
	}
	s, err := c.directory.find(ctx, m.Spec.Resource)
	switch {
	case errors.Is(err, errUnknown) && c.young(m):
		return controller.RequeueAfter(c.rewritePace.When(name))
	case errors.Is(err, errUnknown):
		return c.giveUp(ctx, m, hopeless("unable to obtain GVR from discovery"))
	case err != nil:
		return err
	}
	objects, total, err := c.survey(ctx, m, s)
	if err != nil {
		return c.giveUp(ctx, m, err)
	}
	return c.rewriteAll(ctx, m, s, objects, progress{left: len(objects), total: total})
}

// giveUp ends a migration if its error is for good.
func (c *migrator) giveUp(ctx context.Context, m *migration, why error) error {
	if _, ok := errors.AsType[hopeless](why); !ok {
		return why
	}
	c.logger.Info("A migration failed", "migration", m.Name, "reason", why)
	return c.end(ctx, m, failure(fmt.Sprintf("migration encountered unhandled error: %v", why)))
}

// rewriteAll rewrites objects, one after the other. It may be done again: those
// that were rewritten have another version, which is as good as no work.
func (c *migrator) rewriteAll(ctx context.Context, m *migration, s served, objects []object, p progress) error {
	for _, o := range objects {
		if now, found := c.migrations.Get("", m.Name); !found || now.UID != m.UID {
			return nil
		}
		err := c.rewriteOne(ctx, s, o)
		switch {
		case err == nil, apierrors.IsConflict(err), apierrors.IsNotFound(err) && !unserved(err):
			p.left--
		case controller.IsStopping(ctx, err):
			return err
		case passes(err):
			return c.pause(ctx, m, p, err)
		default:
			c.logger.Info("A migration failed", "migration", m.Name, "namespace", o.namespace, "name", o.name, "left", p.left, "err", err)
			why := fmt.Sprintf("%d/%d not yet migrated. migration encountered unhandled error: %v", p.left, p.total, err)
			return c.end(ctx, m, runs(p.String()), failure(why))
		}
	}
	c.logger.V(2).Info("A migration succeeded", "migration", m.Name, "rewritten", len(objects), "objects", p.total)
	return c.end(ctx, m, runs(p.String()), success())
}

// rewriteOne has the server write an object as it is, if it is still the same.
func (c *migrator) rewriteOne(ctx context.Context, s served, o object) error {
	apiVersion, kind := s.Kind.ToAPIVersionAndKind()
	body, err := json.Marshal(metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: apiVersion, Kind: kind},
		ObjectMeta: metav1.ObjectMeta{ResourceVersion: o.version},
	})
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: fieldManager}
	// Of the answer nothing is needed, so metadata is the least there is.
	_, err = c.metadata.Resource(s.resource).Namespace(o.namespace).Patch(ctx, o.name, types.MergePatchType, body, options)
	return err
}

// pause tells why a migration does not get on, and has it tried again when the
// server says, or later. What cannot be told now need not be.
func (c *migrator) pause(ctx context.Context, m *migration, p progress, why error) error {
	c.directory.outdate()
	_, _ = c.update(ctx, m, func(now *migration) {
		if rewrites(now) {
			c.say(now, runs(fmt.Sprintf("%v; transient error: %v", p, why)))
		}
	})
	if seconds, suggested := apierrors.SuggestsClientDelay(why); suggested {
		return controller.RequeueAfter(max(time.Duration(seconds)*time.Second, c.rewritePace.When(m.Name)))
	}
	return why
}

// passes says whether an error may go by itself.
func passes(err error) bool {
	return client.Unreachable(err) || unserved(err) ||
		utilnet.IsHTTP2ConnectionLost(err) || utilnet.IsTimeout(err) ||
		apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) ||
		apierrors.IsTooManyRequests(err) || apierrors.IsInternalError(err)
}

// unserved says whether the server does not know the resource, at least not in
// this version, which tells nothing about the object. It answers so without the
// Status that it has for objects.
func unserved(err error) bool {
	return apierrors.IsNotFound(err) && apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}
