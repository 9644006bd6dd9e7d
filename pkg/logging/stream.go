// SPDX-License-Identifier: Apache-2.0

package logging

import (
	"io"
	"sync"
)

// stream is where whole lines go, at once or after some have gathered. It
// outlives every change of the log, so that a line which was on its way during a
// change still arrives.
type stream struct {
	mu     sync.Mutex
	out    io.Writer
	size   int // of the buffer in bytes; 0: there is none
	buffer []byte
}

// Write takes a line. A line is never divided between two writes of the buffer.
func (s *stream) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buffer)+len(line) > s.size {
		if err := s.flush(); err != nil {
			return 0, err
		}
		if len(line) > s.size {
			return s.out.Write(line)
		}
	}
	s.buffer = append(s.buffer, line...)
	return len(line), nil
}

// Sync writes what has gathered. It does not have it reach a disk.
func (s *stream) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flush()
}

// resize changes how many bytes may gather.
func (s *stream) resize(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// What cannot be written now cannot be later either.
	_ = s.flush()
	s.size, s.buffer = size, nil
}

func (s *stream) flush() error {
	if len(s.buffer) == 0 {
		return nil
	}
	_, err := s.out.Write(s.buffer)
	s.buffer = s.buffer[:0]
	return err
}

// router divides the lines of the text format between two streams: their first
// byte is the severity.
type router struct{ infos, errors io.Writer }

// Write is part of io.Writer.
func (r router) Write(line []byte) (int, error) {
	if len(line) > 0 && line[0] == 'I' {
		return r.infos.Write(line)
	}
	return r.errors.Write(line)
}
