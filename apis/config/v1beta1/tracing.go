// SPDX-License-Identifier: Apache-2.0

package v1beta1

// Tracing sends what the program does to an OpenTelemetry collector. A change
// takes effect for what begins after it.
type Tracing struct {
	// Endpoint is the collector's HOST:PORT, which is spoken to in OTLP over gRPC
	// without TLS, as on the same host. Empty: nothing is traced.
	Endpoint string `json:"endpoint" default:"" validate:"omitempty,hostname_port"`
	// SamplingRatePerMillion is how many of a million syncs of controllers are
	// traced, 0 to 1000000. Changes of the configuration always are.
	SamplingRatePerMillion int32 `json:"samplingRatePerMillion" default:"10000" validate:"gte=0,lte=1000000"`
}
