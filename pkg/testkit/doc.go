// SPDX-License-Identifier: Apache-2.0

// Package testkit runs a real, local control plane for tests and for trying
// things out: etcd, kube-apiserver and, when nodes are asked for, kube-scheduler
// and simulated nodes (kwok). It has no container runtime and needs no root.
//
// A package whose tests need an API server shares one plane between them:
//
//	var shared = testkit.Shared{Options: testkit.Options{Nodes: 2}}
//
//	func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }
//
//	func TestSomething(t *testing.T) {
//		plane := shared.Plane(t)
//		client := kubernetes.NewForConfigOrDie(plane.AdminConfig())
//		...
//	}
//
// The programs come from `make tools`. A missing one fails the test with that
// hint; it never skips it, because a skipped test proves nothing.
//
// Simulated pods behave as the annotations below say, and as a kubelet's pods
// would otherwise.
package testkit

// Annotations that steer simulated pods and nodes. Each counts when its value is
// "true"; they may be added and removed while the object lives.
const (
	// AnnotationFail lets a pod of a Job, or any pod with restartPolicy Never,
	// end as Failed instead of Succeeded.
	AnnotationFail = "testkit.kube-live.dev/fail"
	// AnnotationExitCode is the exit code of a pod that fails; 1 without it.
	AnnotationExitCode = "testkit.kube-live.dev/exit-code"
	// AnnotationHold keeps a pod of a Job running.
	AnnotationHold = "testkit.kube-live.dev/hold"
	// AnnotationKeep lets a deleted pod run on.
	AnnotationKeep = "testkit.kube-live.dev/keep"
	// AnnotationNeverReady keeps a pod Running but not Ready.
	AnnotationNeverReady = "testkit.kube-live.dev/never-ready"
	// AnnotationNodeNotReady makes a node report Ready=False; its lease stays
	// renewed, as that of a kubelet with a broken container runtime.
	AnnotationNodeNotReady = "testkit.kube-live.dev/not-ready"
)
