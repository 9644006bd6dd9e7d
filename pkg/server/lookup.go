// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apiserver/pkg/authentication/request/headerrequest"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// The ConfigMap in which the API server says whom it trusts.
const (
	lookupNamespace = metav1.NamespaceSystem
	lookupName      = "extension-apiserver-authentication"
)

// trusted is what the ConfigMap says.
type trusted struct {
	client, proxy                     dynamiccertificates.CAContentProvider // nil when absent
	names, users, uids, groups, extra []string
}

// lookup follows the ConfigMap with one watch for all of its settings. It keeps
// the last content that made sense.
type lookup struct {
	// source is the kubeconfig of the cluster.
	source  string
	client  kubernetes.Interface
	logger  klog.Logger
	current atomic.Pointer[trusted]
	done    chan struct{}
}

func newLookup(source string, c kubernetes.Interface, logger klog.Logger) *lookup {
	return &lookup{source: source, client: c, logger: logger, done: make(chan struct{})}
}

// read looks once. A ConfigMap that is not there says nothing.
func (l *lookup) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	cm, err := l.client.CoreV1().ConfigMaps(lookupNamespace).Get(ctx, lookupName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.accept(cm)
}

// follow watches until the context ends.
func (l *lookup) follow(ctx context.Context) {
	defer close(l.done)
	changed := func(obj any) {
		cm, ok := obj.(*corev1.ConfigMap)
		if !ok {
			return
		}
		if err := l.accept(cm); err != nil {
			l.logger.Error(err, "The authentication settings of the cluster do not make sense, the last good ones stay", "configMap", lookupNamespace+"/"+lookupName)
		}
	}
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.NewListWatchFromClient(l.client.CoreV1().RESTClient(), "configmaps", lookupNamespace, fields.OneTermEqualSelector("metadata.name", lookupName)),
		ObjectType:    &corev1.ConfigMap{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    changed,
			UpdateFunc: func(_, now any) { changed(now) },
		},
	})
	controller.RunWithContext(ctx)
}

// accept takes over the content, or none of it.
func (l *lookup) accept(cm *corev1.ConfigMap) error {
	t, err := parseTrusted(cm.Data)
	if err != nil {
		return err
	}
	if before := l.current.Load(); before != nil {
		if t.client == nil {
			t.client = before.client
		}
		if t.proxy == nil {
			t.proxy = before.proxy
		}
	}
	l.current.Store(t)
	return nil
}

func parseTrusted(data map[string]string) (*trusted, error) {
	t := &trusted{}
	var problems []error
	bundle := func(into *dynamiccertificates.CAContentProvider, key string) {
		if data[key] == "" {
			return
		}
		p, err := dynamiccertificates.NewStaticCAContent(key, []byte(data[key]))
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
			return
		}
		*into = p
	}
	list := func(into *[]string, key string) {
		if data[key] == "" {
			return
		}
		if err := json.Unmarshal([]byte(data[key]), into); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
		}
	}
	bundle(&t.client, "client-ca-file")
	bundle(&t.proxy, "requestheader-client-ca-file")
	list(&t.names, "requestheader-allowed-names")
	list(&t.users, "requestheader-username-headers")
	list(&t.uids, "requestheader-uid-headers")
	list(&t.groups, "requestheader-group-headers")
	list(&t.extra, "requestheader-extra-headers-prefix")
	return t, errors.Join(problems...)
}

// clientCA is the bundle for client certificates, as of each request.
func (l *lookup) clientCA() dynamiccertificates.CAContentProvider {
	return &lookedUp{l, "client-ca", func(t *trusted) dynamiccertificates.CAContentProvider { return t.client }}
}

// proxy is what front proxies may say, as of each request.
func (l *lookup) proxy() *frontProxy {
	list := func(of func(*trusted) []string) headerrequest.StringSliceProvider {
		return headerrequest.StringSliceProviderFunc(func() []string {
			if t := l.current.Load(); t != nil {
				return of(t)
			}
			return nil
		})
	}
	return &frontProxy{
		ca:     &lookedUp{l, "request-header", func(t *trusted) dynamiccertificates.CAContentProvider { return t.proxy }},
		names:  list(func(t *trusted) []string { return t.names }),
		users:  list(func(t *trusted) []string { return t.users }),
		uids:   list(func(t *trusted) []string { return t.uids }),
		groups: list(func(t *trusted) []string { return t.groups }),
		extra:  list(func(t *trusted) []string { return t.extra }),
	}
}

// lookedUp is a CA bundle of the ConfigMap.
type lookedUp struct {
	lookup *lookup
	name   string
	of     func(*trusted) dynamiccertificates.CAContentProvider
}

func (b *lookedUp) now() dynamiccertificates.CAContentProvider {
	if t := b.lookup.current.Load(); t != nil {
		return b.of(t)
	}
	return nil
}

// Name is part of dynamiccertificates.CAContentProvider, as are the others.
func (b *lookedUp) Name() string { return b.name }

// AddListener adds nobody: the bundle is read at each request.
func (b *lookedUp) AddListener(dynamiccertificates.Listener) {}

// CurrentCABundleContent is nil when there is none.
func (b *lookedUp) CurrentCABundleContent() []byte {
	if p := b.now(); p != nil {
		return p.CurrentCABundleContent()
	}
	return nil
}

// VerifyOptions says that nobody can be verified when there is no bundle.
func (b *lookedUp) VerifyOptions() (x509.VerifyOptions, bool) {
	if p := b.now(); p != nil {
		return p.VerifyOptions()
	}
	return x509.VerifyOptions{}, false
}
