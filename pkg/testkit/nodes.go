// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

//go:embed stages/*.yaml
var stages embed.FS

// startNodes starts the scheduler and the nodes side by side.
func (p *Plane) startNodes(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if p.opts.scheduler() {
		group.Go(func() error { return p.startScheduler(ctx) })
	}
	if p.opts.Nodes > 0 {
		group.Go(func() error { return p.startKwok(ctx) })
		group.Go(func() error { return p.createNodes(ctx) })
	}
	return group.Wait()
}

const schedulerConfig = `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {kubeconfig: %q, qps: 2000, burst: 4000}
leaderElection: {leaderElect: false}
enableProfiling: false
`

func (p *Plane) startScheduler(ctx context.Context) error {
	since := time.Now()
	config := filepath.Join(p.Dir, "kube-scheduler.yaml")
	text := fmt.Sprintf(schedulerConfig, p.kubeconfig(Scheduler))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	port, err := freePorts(1)
	if err != nil {
		return err
	}
	address := loopback(port[0])
	args := []string{"--config=" + config, "--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port[0]),
		"--tls-cert-file=" + p.pkiFile("apiserver.crt"), "--tls-private-key-file=" + p.pkiFile("apiserver.key")}
	if gates := p.opts.FeatureGates; len(gates) > 0 {
		args = append(args, "--feature-gates="+pairs(gates))
	}
	if _, err := p.run(Scheduler, p.Binaries.Scheduler, nil, args); err != nil {
		return err
	}
	client, err := rest.HTTPClientFor(p.AdminConfig())
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	err = p.await(ctx, Scheduler, func(ctx context.Context) error {
		return getOK(ctx, client, "https://"+address+"/readyz")
	})
	if err == nil {
		p.logReady(Scheduler, since)
	}
	return err
}

// startKwok starts the simulator and returns when it keeps every node Ready.
func (p *Plane) startKwok(ctx context.Context) error {
	since := time.Now()
	config := filepath.Join(p.Dir, "kwok.yaml")
	if err := writeStages(config); err != nil {
		return err
	}
	// Its home must not be the user's, whose own settings would count.
	env := []string{"KWOK_WORKDIR=" + filepath.Join(p.Dir, "kwok")}
	_, err := p.run(Kwok, p.Binaries.Kwok, env, []string{
		"--kubeconfig=" + p.kubeconfig(Kwok),
		"--config=" + config,
		"--manage-all-nodes",
		"--cidr=10.0.0.0/8",
		"--node-lease-duration-seconds=40",
		"--server-address=127.0.0.1:0",
	})
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(p.AdminConfig())
	if err != nil {
		return err
	}
	err = p.await(ctx, "nodes", func(ctx context.Context) error {
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		ready := 0
		for i := range nodes.Items {
			if nodeReady(&nodes.Items[i]) {
				ready++
			}
		}
		if ready < p.opts.Nodes {
			return fmt.Errorf("%d of %d nodes are ready", ready, p.opts.Nodes)
		}
		return nil
	})
	if err == nil {
		p.logReady(fmt.Sprintf("%s with %d nodes", Kwok, p.opts.Nodes), since)
	}
	return err
}

// writeStages puts all stages into the one file that kwok reads.
func writeStages(path string) error {
	names, err := fs.Glob(stages, "stages/*.yaml")
	if err != nil {
		return err
	}
	var out bytes.Buffer
	for _, name := range names {
		data, err := stages.ReadFile(name)
		if err != nil {
			return err
		}
		out.WriteString("---\n")
		out.Write(data)
	}
	return os.WriteFile(path, out.Bytes(), 0o600)
}

func nodeReady(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (p *Plane) createNodes(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range p.opts.Nodes {
		group.Go(func() error { return p.AddNode(ctx, p.NewNode(i)) })
	}
	return group.Wait()
}

// AddNode creates a node with exactly the taints it has: without the not-ready
// taint that admission gives every new node. In a cluster the controller manager
// takes that away; without one no pod would ever be scheduled.
func (p *Plane) AddNode(ctx context.Context, node *corev1.Node) error {
	client, err := kubernetes.NewForConfig(p.AdminConfig())
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"taints": node.Spec.Taints}})
	if err != nil {
		return err
	}
	if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
		return err
	}
	_, err = client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// NewNode returns the i-th simulated node, as kubelet would register it.
func (p *Plane) NewNode(i int) *corev1.Node {
	name := fmt.Sprintf("node-%d", i)
	pods := p.opts.NodePodCapacity
	if pods == 0 {
		pods = 110
	}
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("64"),
		corev1.ResourceMemory:           resource.MustParse("256Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
		corev1.ResourcePods:             *resource.NewQuantity(int64(pods), resource.DecimalSI),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
			Labels: map[string]string{
				corev1.LabelHostname:       name,
				corev1.LabelTopologyZone:   "zone-" + string(rune('a'+i%3)),
				corev1.LabelTopologyRegion: "region-1",
				corev1.LabelOSStable:       "linux",
				corev1.LabelArchStable:     "amd64",
			},
		},
		Status: corev1.NodeStatus{
			Capacity:    capacity,
			Allocatable: capacity,
			Addresses: []corev1.NodeAddress{
				{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("172.16.%d.%d", i/250, i%250+1)},
				{Type: corev1.NodeHostName, Address: name},
			},
			NodeInfo: corev1.NodeSystemInfo{
				Architecture: "amd64", OperatingSystem: "linux", OSImage: "simulated",
				KubeletVersion: p.Binaries.KubernetesVersion,
			},
		},
	}
}
