// SPDX-License-Identifier: Apache-2.0

package server

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// flagIndex lists the flags that can be set at run time.
const flagIndex = `<html>
<head>
<title>/debug/flags/</title>
</head>
<body>
/debug/flags/<br>
<br>
flags:<br>
<table>
<tr>v<br>
</table>
<br>
full flags configurable<br>
</body>
</html>
`

// verbosity serves /debug/flags/v, in upstream's words.
func verbosity(mux *http.ServeMux, set func(uint32) error) {
	index := func(w http.ResponseWriter, _ *http.Request) {
		content(w, "text/html; charset=utf-8", []byte(flagIndex))
	}
	mux.HandleFunc("/debug/flags", index)
	mux.HandleFunc("/debug/flags/", index)
	mux.HandleFunc("/debug/flags/v", func(w http.ResponseWriter, r *http.Request) {
		code, text := changeVerbosity(w, r, set)
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(code)
		fmt.Fprintln(w, text)
	})
}

func changeVerbosity(w http.ResponseWriter, r *http.Request, set func(uint32) error) (code int, text string) {
	if r.Method != http.MethodPut {
		return http.StatusNotAcceptable, "unsupported http method"
	}
	const longest = 64
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longest))
	if err != nil {
		return http.StatusBadRequest, "error reading request body: " + err.Error()
	}
	// klog's levels are signed.
	level, err := strconv.ParseUint(string(body), 10, 31)
	if err == nil {
		err = set(uint32(level))
	}
	if err != nil {
		return http.StatusBadRequest, err.Error()
	}
	return http.StatusOK, fmt.Sprintf("successfully set klog.logging.verbosity to %d", level)
}
