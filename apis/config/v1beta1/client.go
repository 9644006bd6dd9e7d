// SPDX-License-Identifier: Apache-2.0

package v1beta1

// ClientConnection says how the API server is reached. New limits apply to the
// clients that are in use. Any other change restarts every controller, for each
// holds clients made from it; caches and the lease are kept when only the identity
// of controllers changes.
type ClientConnection struct {
	// Kubeconfig is the path of the client configuration. Empty: the service
	// account of the pod the manager runs in.
	Kubeconfig string `json:"kubeconfig" default:"" validate:"-" flag:"kubeconfig" path:"true"`
	// Master is the URL of the API server; it wins over the kubeconfig's.
	Master string `json:"master" default:"" validate:"omitempty,url" flag:"master"`
	// QPS is how many requests a second each controller may make in the long
	// run, more than 0. Every controller has an allowance of its own.
	QPS float32 `json:"qps" default:"20" validate:"gt=0" flag:"kube-api-qps" change:"live"`
	// Burst is how many requests a controller may make at once, at least 1.
	Burst int32 `json:"burst" default:"30" validate:"gte=1" flag:"kube-api-burst" change:"live"`
	// ContentType is the encoding of requests.
	ContentType string `json:"contentType" default:"application/vnd.kubernetes.protobuf" validate:"oneof=application/vnd.kubernetes.protobuf application/json" flag:"kube-api-content-type"`
	// AcceptContentTypes are the encodings of answers that are accepted, as in
	// the HTTP header. Empty: contentType, and JSON for what has no other.
	AcceptContentTypes string `json:"acceptContentTypes" default:"" validate:"-"`
	// UseServiceAccountCredentials gives every controller the identity of its
	// own service account in kube-system instead of the kubeconfig's.
	UseServiceAccountCredentials bool `json:"useServiceAccountCredentials" default:"false" validate:"-" flag:"use-service-account-credentials" change:"identity"`
}
