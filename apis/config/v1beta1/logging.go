// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Logging is the form and amount of the log, which goes to standard error. A
// change touches nothing else.
type Logging struct {
	// Format is text or json.
	Format string `json:"format" default:"text" validate:"oneof=text json" flag:"logging-format" also:"log-json?json:text"`
	// Verbosity is how much is logged, at least 0; 0 is for operators, 4 for
	// debugging.
	Verbosity int32 `json:"verbosity" default:"0" validate:"gte=0" flag:"v,Level" also:"log-level"`
	// VModule gives source files a verbosity of their own, as PATTERN=N. It has
	// no effect: all files have the same.
	VModule []ModuleLevel `json:"vmodule" default:"" validate:"-" flag:"vmodule,pattern=N,..." inert:"all files have the same verbosity"`
	// FlushFrequency is the longest time between two writes of the log, more
	// than 0. It has no effect: messages are written at once.
	FlushFrequency metav1.Duration `json:"flushFrequency" default:"5s" validate:"gt=0s" flag:"log-flush-frequency" inert:"messages are written at once"`
	// JSONInfoBufferSize is how many bytes of messages that are no errors wait
	// before they are written, in the format json. It has no effect: messages
	// are written at once.
	JSONInfoBufferSize Size `json:"jsonInfoBufferSize" default:"0" validate:"-" flag:"log-json-info-buffer-size,quantity" inert:"messages are written at once"`
	// JSONSplitStream writes messages that are no errors to standard output, in
	// the format json. It has no effect: all go to standard error.
	JSONSplitStream bool `json:"jsonSplitStream" default:"false" validate:"-" flag:"log-json-split-stream" inert:"all messages go to standard error"`
	// TextInfoBufferSize is the same as JSONInfoBufferSize in the format text. It
	// has no effect: messages are written at once.
	TextInfoBufferSize Size `json:"textInfoBufferSize" default:"0" validate:"-" flag:"log-text-info-buffer-size,quantity" inert:"messages are written at once"`
	// TextSplitStream is the same as JSONSplitStream in the format text. It has
	// no effect: all go to standard error.
	TextSplitStream bool `json:"textSplitStream" default:"false" validate:"-" flag:"log-text-split-stream" inert:"all messages go to standard error"`
}
