// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Serving is the HTTPS server. A change opens a new listener before the old
// one is closed; controllers are not touched.
type Serving struct {
	// BindAddress is the IP address to listen on; 0.0.0.0 or :: is all.
	BindAddress string `json:"bindAddress" default:"0.0.0.0" validate:"ip" flag:"bind-address"`
	// Port is the TCP port; 0 serves nothing.
	Port int32 `json:"port" default:"10257" validate:"gte=0,lte=65535" flag:"secure-port"`
	// TLSCertFile is the serving certificate in PEM, leaf first. Empty: a
	// self-signed one in memory.
	TLSCertFile string `json:"tlsCertFile" default:"" validate:"required_with=TLSPrivateKeyFile" flag:"tls-cert-file" path:"true"`
	// TLSPrivateKeyFile is the key of TLSCertFile in PEM.
	TLSPrivateKeyFile string `json:"tlsPrivateKeyFile" default:"" validate:"required_with=TLSCertFile" flag:"tls-private-key-file" path:"true"`
	// Profiling serves /debug/pprof.
	Profiling bool `json:"profiling" default:"true" flag:"profiling"`
}

// Authentication decides who a caller is. Bearer tokens are checked by the API
// server (TokenReview); certificates against a CA bundle.
type Authentication struct {
	// Kubeconfig is the client configuration for TokenReview. Empty: callers
	// without a certificate are anonymous.
	Kubeconfig string `json:"kubeconfig" default:"" flag:"authentication-kubeconfig" path:"true"`
	// ClientCAFile is the CA bundle for client certificates, in PEM. It is
	// reloaded when it changes.
	ClientCAFile string `json:"clientCAFile" default:"" flag:"client-ca-file" path:"true"`
	// RequestHeaderClientCAFile is the CA bundle of the front proxy, in PEM.
	RequestHeaderClientCAFile string `json:"requestHeaderClientCAFile" default:"" flag:"requestheader-client-ca-file" path:"true"`
	// TokenCacheTTL is how long an answer about a token is remembered.
	TokenCacheTTL metav1.Duration `json:"tokenCacheTTL" default:"10s" validate:"gte=0s" flag:"authentication-token-webhook-cache-ttl"`
}

// Authorization decides what a caller may see. It asks the API server
// (SubjectAccessReview).
type Authorization struct {
	// Kubeconfig is the client configuration for SubjectAccessReview. Empty:
	// only AlwaysAllowPaths and the group system:masters are served.
	Kubeconfig string `json:"kubeconfig" default:"" flag:"authorization-kubeconfig" path:"true"`
	// AlwaysAllowPaths are served to everybody; a trailing * matches a prefix.
	AlwaysAllowPaths []string `json:"alwaysAllowPaths" default:"/healthz,/readyz,/livez" validate:"dive,allow_path" flag:"authorization-always-allow-paths"`
	// CacheAuthorizedTTL is how long a yes is remembered.
	CacheAuthorizedTTL metav1.Duration `json:"cacheAuthorizedTTL" default:"10s" validate:"gte=0s" flag:"authorization-webhook-cache-authorized-ttl"`
	// CacheUnauthorizedTTL is how long a no is remembered.
	CacheUnauthorizedTTL metav1.Duration `json:"cacheUnauthorizedTTL" default:"10s" validate:"gte=0s" flag:"authorization-webhook-cache-unauthorized-ttl"`
}
