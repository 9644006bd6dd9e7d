// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Logging is the form and amount of the log, which goes to standard error. A
// change touches nothing else and loses no message.
type Logging struct {
	// Format is text or json.
	Format string `json:"format" default:"text" validate:"oneof=text json" flag:"logging-format" also:"log-json?json:text"`
	// Verbosity is how much is logged, at least 0; 0 is for operators, 4 for
	// debugging.
	Verbosity int32 `json:"verbosity" default:"0" validate:"gte=0" flag:"v,Level" also:"log-level{error=0,warning=0,warn=0,info=2,debug=4}"`
	// VModule gives source files a verbosity of their own, as PATTERN=N. It needs
	// the format text.
	VModule []ModuleLevel `json:"vmodule" default:"" validate:"-" flag:"vmodule,pattern=N,..."`
	// FlushFrequency is the longest time that a message waits in a buffer, more
	// than 0.
	FlushFrequency metav1.Duration `json:"flushFrequency" default:"5s" validate:"gt=0s" flag:"log-flush-frequency"`
	// JSONInfoBufferSize is how many bytes of messages that are no errors wait
	// before they are written, up to 2Gi, in the format json with jsonSplitStream;
	// at 0 they are written at once. Errors never wait.
	JSONInfoBufferSize Size `json:"jsonInfoBufferSize" default:"0" validate:"-" flag:"log-json-info-buffer-size,quantity"`
	// JSONSplitStream writes messages that are no errors to standard output, in
	// the format json.
	JSONSplitStream bool `json:"jsonSplitStream" default:"false" validate:"-" flag:"log-json-split-stream"`
	// TextInfoBufferSize is the same as JSONInfoBufferSize in the format text,
	// with textSplitStream.
	TextInfoBufferSize Size `json:"textInfoBufferSize" default:"0" validate:"-" flag:"log-text-info-buffer-size,quantity"`
	// TextSplitStream is the same as JSONSplitStream in the format text.
	TextSplitStream bool `json:"textSplitStream" default:"false" validate:"-" flag:"log-text-split-stream"`
}
