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
	// TLSCertFile is the serving certificate in PEM, leaf first. Empty: a
	// self-signed one in memory.
	TLSCertFile string `json:"tlsCertFile" default:"" validate:"required_with=TLSPrivateKeyFile" flag:"tls-cert-file" path:"true"`
	// TLSPrivateKeyFile is the key of TLSCertFile in PEM.
	TLSPrivateKeyFile string `json:"tlsPrivateKeyFile" default:"" validate:"required_with=TLSCertFile" flag:"tls-private-key-file" path:"true"`
	// SNICertKeys are further certificates for single host names, as
	// CERTFILE,KEYFILE or CERTFILE,KEYFILE:NAME,NAME. It has no effect: every
	// caller gets the certificate above.
	SNICertKeys []NamedCertificate `json:"sniCertKeys" default:"" validate:"-" flag:"tls-sni-cert-key,namedCertKey" inert:"every caller gets the same certificate"`
	// CertDir is where a certificate without a file of its own is kept. It has
	// no effect: such a certificate is made anew at each start.
	CertDir string `json:"certDir" default:"" validate:"-" flag:"cert-dir" path:"true" inert:"a certificate without a file is kept in memory"`
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
	// once in one connection, at least 0; 0 is Go's choice. It has no effect: the
	// number is Go's choice.
	HTTP2MaxStreamsPerConnection int32 `json:"http2MaxStreamsPerConnection" default:"0" validate:"gte=0" flag:"http2-max-streams-per-connection,int" inert:"the number of streams is Go's choice"`
	// PermitAddressSharing sets SO_REUSEADDR on the listener. It has no effect:
	// Go sets it.
	PermitAddressSharing bool `json:"permitAddressSharing" default:"false" validate:"-" flag:"permit-address-sharing" inert:"the option is always set where the system has it"`
	// PermitPortSharing sets SO_REUSEPORT on the listener. It has no effect: a
	// port belongs to one process.
	PermitPortSharing bool `json:"permitPortSharing" default:"false" validate:"-" flag:"permit-port-sharing" inert:"the port is never shared"`
	// Profiling serves /debug/pprof.
	Profiling bool `json:"profiling" default:"true" validate:"-" flag:"profiling" also:"enable-profiling"`
	// ContentionProfiling also records where goroutines wait. It has no effect:
	// that is not recorded.
	ContentionProfiling bool `json:"contentionProfiling" default:"false" validate:"-" flag:"contention-profiling" inert:"where goroutines wait is not recorded"`
}

// Authentication decides who a caller is. Bearer tokens are checked by the API
// server (TokenReview); certificates against a CA bundle.
type Authentication struct {
	// Kubeconfig is the client configuration for TokenReview. Empty: callers
	// without a certificate are anonymous.
	Kubeconfig string `json:"kubeconfig" default:"" validate:"-" flag:"authentication-kubeconfig" path:"true"`
	// ClientCAFile is the CA bundle for client certificates, in PEM. It is
	// reloaded when it changes.
	ClientCAFile string `json:"clientCAFile" default:"" validate:"-" flag:"client-ca-file" path:"true"`
	// SkipLookup does not read missing settings from the ConfigMap
	// extension-apiserver-authentication. It has no effect: they never are.
	SkipLookup bool `json:"skipLookup" default:"false" validate:"-" flag:"authentication-skip-lookup" inert:"settings are never read from the cluster"`
	// TolerateLookupFailure goes on when that ConfigMap cannot be read. It has no
	// effect: it is never read.
	TolerateLookupFailure bool `json:"tolerateLookupFailure" default:"false" validate:"-" flag:"authentication-tolerate-lookup-failure" inert:"settings are never read from the cluster"`
	// RequestHeaderClientCAFile is the CA bundle of the front proxy, in PEM.
	// Empty: there is no front proxy.
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
	// Kubeconfig is the client configuration for SubjectAccessReview. Empty:
	// only AlwaysAllowPaths and the group system:masters are served.
	Kubeconfig string `json:"kubeconfig" default:"" validate:"-" flag:"authorization-kubeconfig" path:"true"`
	// AlwaysAllowPaths are served to everybody; a trailing * matches a prefix.
	AlwaysAllowPaths []string `json:"alwaysAllowPaths" default:"/healthz,/readyz,/livez" validate:"dive,allow_path" flag:"authorization-always-allow-paths"`
	// CacheAuthorizedTTL is how long a yes is remembered; 0s: not at all.
	CacheAuthorizedTTL metav1.Duration `json:"cacheAuthorizedTTL" default:"10s" validate:"gte=0s" flag:"authorization-webhook-cache-authorized-ttl"`
	// CacheUnauthorizedTTL is how long a no is remembered; 0s: not at all.
	CacheUnauthorizedTTL metav1.Duration `json:"cacheUnauthorizedTTL" default:"10s" validate:"gte=0s" flag:"authorization-webhook-cache-unauthorized-ttl"`
}
