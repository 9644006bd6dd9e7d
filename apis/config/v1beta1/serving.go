// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Serving is the HTTPS server. A change opens a new listener before the old
// one is closed; controllers are not touched.
type Serving struct {
	// BindAddress is the IP address to listen on; 0.0.0.0 or :: is all.
	BindAddress string `json:"bindAddress" default:"0.0.0.0" validate:"ip" flag:"bind-address,ip"`
	// Port is the TCP port, 0 to 65535; 0 serves nothing.
	Port int32 `json:"port" default:"10257" validate:"gte=0,lte=65535" flag:"secure-port,int" also:"bind-port healthz-bind-port diagnostics-port"`
	// TLSCertFile is the serving certificate in PEM, leaf first. It is reloaded
	// when it changes. Empty: a self-signed one.
	TLSCertFile string `json:"tlsCertFile" default:"" validate:"required_with=TLSPrivateKeyFile" flag:"tls-cert-file" path:"true"`
	// TLSPrivateKeyFile is the key of TLSCertFile in PEM.
	TLSPrivateKeyFile string `json:"tlsPrivateKeyFile" default:"" validate:"required_with=TLSCertFile" flag:"tls-private-key-file" path:"true"`
	// SNICertKeys are further certificates for single host names, as
	// CERTFILE,KEYFILE or CERTFILE,KEYFILE:NAME,NAME, where *.NAME is any name one
	// label longer. Without names, those in the certificate count. A whole name
	// wins over a wildcard, a name that is given here over one in a certificate,
	// the earlier of two over the later. The files are reloaded when they change.
	SNICertKeys []NamedCertificate `json:"sniCertKeys" default:"" validate:"-" flag:"tls-sni-cert-key,namedCertKey"`
	// CertDir is where a self-signed certificate is kept, as
	// kube-controller-manager.crt and kube-controller-manager.key, when there is no
	// TLSCertFile. Both are made when neither can be read. Empty: in memory.
	CertDir string `json:"certDir" default:"" validate:"-" flag:"cert-dir" path:"true"`
	// TLSMinVersion is the oldest version of TLS that is spoken. Empty:
	// VersionTLS12.
	TLSMinVersion string `json:"tlsMinVersion" default:"" validate:"omitempty,oneof=VersionTLS10 VersionTLS11 VersionTLS12 VersionTLS13" flag:"tls-min-version"`
	// TLSCipherSuites are the cipher suites that are offered, by Go's names, in
	// TLS 1.2 and before. Empty: Go's choice.
	TLSCipherSuites []string `json:"tlsCipherSuites" default:"" validate:"dive,cipher_suite" flag:"tls-cipher-suites"`
	// TLSCurvePreferences are the key exchanges that are offered, by Go's
	// numbers, in any order, each once. Empty: Go's choice.
	TLSCurvePreferences []int32 `json:"tlsCurvePreferences" default:"" validate:"unique,dive,oneof=23 24 25 29 4587 4588 4589" flag:"tls-curve-preferences"`
	// DisableHTTP2 speaks HTTP/1.1 only.
	DisableHTTP2 bool `json:"disableHTTP2" default:"false" validate:"-" flag:"disable-http2-serving"`
	// HTTP2MaxStreamsPerConnection is how many requests a caller may have open at
	// once in one connection, at least 0; 0 is 100.
	HTTP2MaxStreamsPerConnection int32 `json:"http2MaxStreamsPerConnection" default:"0" validate:"gte=0" flag:"http2-max-streams-per-connection,int"`
	// PermitAddressSharing sets SO_REUSEADDR on the listener. Where the system has
	// that option it is set in any case, so that a restart does not wait for
	// connections of the process before.
	PermitAddressSharing bool `json:"permitAddressSharing" default:"false" validate:"-" flag:"permit-address-sharing"`
	// PermitPortSharing sets SO_REUSEPORT on the listener: several processes of
	// one user that all permit it share the port, and each caller reaches one of
	// them. Taken back, it may last until the port or the address changes.
	PermitPortSharing bool `json:"permitPortSharing" default:"false" validate:"-" flag:"permit-port-sharing"`
	// Profiling serves /debug/pprof and /debug/flags.
	Profiling bool `json:"profiling" default:"true" validate:"-" flag:"profiling" also:"enable-profiling"`
	// ContentionProfiling also records where goroutines wait, for
	// /debug/pprof/block. It needs Profiling, and costs time in every lock.
	ContentionProfiling bool `json:"contentionProfiling" default:"false" validate:"-" flag:"contention-profiling"`
	// InsecureDiagnosticsPort is a TCP port on 127.0.0.1, 0 to 65535, that serves
	// health, metrics and, with Profiling, profiles over HTTP to everybody on this
	// machine, without asking who they are; 0 serves nothing there.
	InsecureDiagnosticsPort int32 `json:"insecureDiagnosticsPort" default:"0" validate:"gte=0,lte=65535" flag:"insecure-diagnostics-port,int"`
}

// Authentication decides who a caller is. Bearer tokens are checked by the API
// server (TokenReview); certificates against a CA bundle.
type Authentication struct {
	// Kubeconfig is the client configuration for TokenReview. Empty: that of the
	// pod this runs in, or none, and then callers without a certificate are
	// anonymous.
	Kubeconfig string `json:"kubeconfig" default:"" validate:"-" flag:"authentication-kubeconfig" path:"true"`
	// ClientCAFile is the CA bundle for client certificates, in PEM. It is
	// reloaded when it changes.
	ClientCAFile string `json:"clientCAFile" default:"" validate:"-" flag:"client-ca-file" path:"true"`
	// SkipLookup leaves the CA bundles that no file is given for alone. Otherwise
	// they, and all that concerns front proxies, are read from the ConfigMap
	// kube-system/extension-apiserver-authentication and followed there.
	SkipLookup bool `json:"skipLookup" default:"false" validate:"-" flag:"authentication-skip-lookup"`
	// TolerateLookupFailure goes on when that ConfigMap cannot be read; until it
	// can, callers who need it are anonymous. Otherwise such a configuration is
	// refused.
	TolerateLookupFailure bool `json:"tolerateLookupFailure" default:"false" validate:"-" flag:"authentication-tolerate-lookup-failure"`
	// RequestHeaderClientCAFile is the CA bundle of the front proxy, in PEM. It is
	// reloaded when it changes. Empty: the cluster says whether there is a front
	// proxy; see SkipLookup.
	RequestHeaderClientCAFile string `json:"requestHeaderClientCAFile" default:"" validate:"-" flag:"requestheader-client-ca-file" path:"true"`
	// RequestHeaderAllowedNames are the names in certificates of front proxies.
	// Empty: any that the CA bundle has signed.
	RequestHeaderAllowedNames []string `json:"requestHeaderAllowedNames" default:"" validate:"dive,required" flag:"requestheader-allowed-names"`
	// RequestHeaderUsernameHeaders are the headers with a caller's name; the
	// first that is there decides.
	RequestHeaderUsernameHeaders []string `json:"requestHeaderUsernameHeaders" default:"x-remote-user" validate:"dive,required" flag:"requestheader-username-headers"`
	// RequestHeaderUIDHeaders are the headers with a caller's UID.
	RequestHeaderUIDHeaders []string `json:"requestHeaderUIDHeaders" default:"" validate:"dive,required" flag:"requestheader-uid-headers"`
	// RequestHeaderGroupHeaders are the headers with a caller's groups.
	RequestHeaderGroupHeaders []string `json:"requestHeaderGroupHeaders" default:"x-remote-group" validate:"dive,required" flag:"requestheader-group-headers"`
	// RequestHeaderExtraHeadersPrefix begins the names of headers with further
	// facts about a caller.
	RequestHeaderExtraHeadersPrefix []string `json:"requestHeaderExtraHeadersPrefix" default:"x-remote-extra-" validate:"dive,required" flag:"requestheader-extra-headers-prefix"`
	// TokenCacheTTL is how long an answer about a token is remembered; 0s: not
	// at all.
	TokenCacheTTL metav1.Duration `json:"tokenCacheTTL" default:"10s" validate:"gte=0s" flag:"authentication-token-webhook-cache-ttl"`
}

// Authorization decides what a caller may see. It asks the API server
// (SubjectAccessReview).
type Authorization struct {
	// Kubeconfig is the client configuration for SubjectAccessReview. Empty: that
	// of the pod this runs in, or none, and then only AlwaysAllowPaths and the
	// group system:masters are served.
	Kubeconfig string `json:"kubeconfig" default:"" validate:"-" flag:"authorization-kubeconfig" path:"true"`
	// AlwaysAllowPaths are served to everybody; a trailing * matches a prefix.
	// /healthz includes /healthz/live, /healthz/ready and /healthz/deep.
	AlwaysAllowPaths []string `json:"alwaysAllowPaths" default:"/healthz,/readyz,/livez" validate:"dive,allow_path" flag:"authorization-always-allow-paths"`
	// CacheAuthorizedTTL is how long a yes is remembered; 0s: not at all.
	CacheAuthorizedTTL metav1.Duration `json:"cacheAuthorizedTTL" default:"10s" validate:"gte=0s" flag:"authorization-webhook-cache-authorized-ttl"`
	// CacheUnauthorizedTTL is how long a no is remembered; 0s: not at all.
	CacheUnauthorizedTTL metav1.Duration `json:"cacheUnauthorizedTTL" default:"10s" validate:"gte=0s" flag:"authorization-webhook-cache-unauthorized-ttl"`
}
