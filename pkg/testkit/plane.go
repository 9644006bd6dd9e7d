// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// A Plane is a running local control plane.
type Plane struct {
	Binaries  Binaries
	Dir       string
	ServerURL string

	AdminKubeconfig   string
	ManagerKubeconfig string // of kube-controller-manager

	CAFile                string
	CAKeyFile             string
	FrontProxyCAFile      string
	ServiceAccountKeyFile string // the private key; sa.pub beside it is the public one

	opts     Options
	folder   *folder
	pki      *pki
	ports    ports
	stopOnce sync.Once

	mu    sync.Mutex
	procs map[string]*process

	died sync.Once
	done chan struct{}
	err  error // valid once done is closed
}

type ports struct{ etcd, etcdPeer, apiServer int }

// errPortTaken says that another program took a port between its choice and its use.
var errPortTaken = errors.New("a chosen port was taken by another program")

// stopGrace is what a component gets to end by itself.
const stopGrace = 5 * time.Second

// Start brings up a plane and returns when it is ready: the API server answers,
// its roles and namespaces are there, and all nodes are Ready. The context bounds
// the start only; the plane runs until Stop.
func Start(ctx context.Context, opts Options) (*Plane, error) {
	binaries, err := FindBinaries(ctx, opts.programs()...)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		p, err := start(ctx, opts, binaries)
		if err == nil {
			return p, nil
		}
		if !errors.Is(err, errPortTaken) || attempt == 3 {
			return nil, err
		}
	}
}

func start(ctx context.Context, opts Options, binaries Binaries) (_ *Plane, err error) {
	p := &Plane{
		Binaries: binaries, opts: opts,
		procs: map[string]*process{}, done: make(chan struct{}),
	}
	if p.folder, err = openFolder(opts.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.Stop()
		}
	}()
	p.Dir = p.folder.path
	if err := p.prepare(); err != nil {
		return nil, err
	}
	if err := p.startEtcd(ctx); err != nil {
		return nil, p.explain(err)
	}
	if err := p.StartAPIServer(ctx); err != nil {
		return nil, p.explain(err)
	}
	if err := p.startNodes(ctx); err != nil {
		return nil, p.explain(err)
	}
	return p, nil
}

// prepare chooses ports and writes all files that components read.
func (p *Plane) prepare() error {
	free, err := freePorts(3)
	if err != nil {
		return err
	}
	p.ports = ports{etcd: free[0], etcdPeer: free[1], apiServer: free[2]}
	p.ServerURL = "https://" + loopback(p.ports.apiServer)
	if p.pki, err = newPKI(filepath.Join(p.Dir, "pki")); err != nil {
		return err
	}
	p.CAFile, p.CAKeyFile = p.pkiFile("ca.crt"), p.pkiFile("ca.key")
	p.FrontProxyCAFile = p.pkiFile("front-proxy-ca.crt")
	p.ServiceAccountKeyFile = p.pkiFile("sa.key")
	p.AdminKubeconfig = p.kubeconfig("admin")
	p.ManagerKubeconfig = p.kubeconfig(ControllerManager)
	return p.writeKubeconfigs()
}

func (p *Plane) pkiFile(name string) string { return filepath.Join(p.Dir, "pki", name) }

// Done is closed when a component ended that nobody stopped; Err then says which.
func (p *Plane) Done() <-chan struct{} { return p.done }

// Err returns nil until Done is closed, and then what ended and the end of its log.
func (p *Plane) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Stop ends all components, in an order in which none misses another, and removes
// the temporary folder. It takes a few seconds at most: a component that does not
// end by itself is killed. It may be called more than once.
func (p *Plane) Stop() {
	p.stopOnce.Do(func() {
		p.stop(Kwok, Scheduler)
		p.stop(APIServer)
		p.stop(Etcd)
		if err := p.folder.close(); err != nil {
			p.logf("removing %s: %v", p.Dir, err)
		}
	})
}

// stop ends the named components side by side.
func (p *Plane) stop(names ...string) {
	grace := stopGrace
	if p.Err() != nil {
		grace = time.Second // the others may only be waiting for the one that died
	}
	var wg sync.WaitGroup
	for _, name := range names {
		p.mu.Lock()
		proc := p.procs[name]
		p.mu.Unlock()
		wg.Go(func() { proc.stop(grace) })
	}
	wg.Wait()
}

// run starts a component and watches over it.
func (p *Plane) run(name, path string, env, args []string) (*process, error) {
	logPath := filepath.Join(p.Dir, "logs", name+".log")
	proc, err := startProcess(name, path, logPath, p.Dir, env, args)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.procs[name] = proc
	p.mu.Unlock()
	go func() {
		<-proc.exited
		if !proc.stopping.Load() {
			p.died.Do(func() {
				p.err = proc.failure()
				close(p.done)
			})
		}
	}()
	return proc, nil
}

// await polls until ready returns nil. It gives up early when a component dies:
// what it waits for would never come.
func (p *Plane) await(ctx context.Context, what string, ready func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-p.done:
			cancel(p.err)
		case <-finished:
		}
	}()
	var last error
	err := wait.PollUntilContextCancel(ctx, 25*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		last = ready(ctx)
		return last == nil, nil
	})
	if err == nil {
		return nil
	}
	return fmt.Errorf("waiting for %s: %w (%v)", what, context.Cause(ctx), last)
}

// explain marks an error as one of a taken port when a component says so.
func (p *Plane) explain(err error) error {
	if p.Err() == nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, proc := range p.procs {
		if log, _ := os.ReadFile(proc.logPath); strings.Contains(string(log), "address already in use") {
			return fmt.Errorf("%w: %w", errPortTaken, err)
		}
	}
	return err
}

// LogTail returns the last lines of the log of a component, and of all components
// when no name is given.
func (p *Plane) LogTail(lines int, names ...string) string {
	if len(names) == 0 {
		names = []string{Etcd, APIServer, Scheduler, Kwok}
	}
	var out strings.Builder
	for _, name := range names {
		p.mu.Lock()
		proc := p.procs[name]
		p.mu.Unlock()
		if proc != nil {
			fmt.Fprintf(&out, "--- %s\n%s\n", name, proc.tail(lines))
		}
	}
	return out.String()
}

func (p *Plane) logf(format string, args ...any) {
	if p.opts.Log != nil {
		_, _ = io.WriteString(p.opts.Log, fmt.Sprintf(format, args...)+"\n")
	}
}

func (p *Plane) logReady(name string, since time.Time) {
	p.logf("%-24s ready in %4.1f s", name, time.Since(since).Seconds())
}
