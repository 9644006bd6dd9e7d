// SPDX-License-Identifier: Apache-2.0

package v1beta1

// Baselines: what a controller does whose section does not say "enabled".
const (
	// BaselineDefault runs every controller that is on by default.
	BaselineDefault = "Default"
	// BaselineNone runs none.
	BaselineNone = "None"
)

// Controllers has one section for each controller; its key is the
// controller's name.
type Controllers struct {
	// Baseline decides about controllers whose section does not: Default or
	// None.
	Baseline string `json:"baseline" default:"Default" validate:"oneof=Default None"`

	Deployment                 DeploymentController                 `json:"deployment-controller"`
	EndpointSlice              EndpointSliceController              `json:"endpointslice-controller"`
	GarbageCollector           GarbageCollectorController           `json:"garbage-collector-controller"`
	Namespace                  NamespaceController                  `json:"namespace-controller"`
	ReplicaSet                 ReplicaSetController                 `json:"replicaset-controller"`
	RootCACertificatePublisher RootCACertificatePublisherController `json:"root-ca-certificate-publisher-controller"`
	ServiceAccount             ServiceAccountController             `json:"serviceaccount-controller"`
	TTLAfterFinished           TTLAfterFinishedController           `json:"ttl-after-finished-controller"`
}

// Switch is what every section begins with.
type Switch struct {
	// Enabled turns the controller on or off. Absent: the baseline decides.
	Enabled *bool `json:"enabled,omitempty"`
}

// Explicit is what the section itself says, or nil.
func (s *Switch) Explicit() *bool { return s.Enabled }

// SetExplicit overrules the section, for the --controllers flag.
func (s *Switch) SetExplicit(on *bool) { s.Enabled = on }

// Section is what every controller's section can do.
type Section interface {
	Explicit() *bool
	SetExplicit(*bool)
}
