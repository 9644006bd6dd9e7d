// SPDX-License-Identifier: Apache-2.0

// Package controller is the contract between the manager and its controllers.
//
// # Adding a controller
//
// A controller is a package below pkg/controllers, a section, and two list
// entries. Upstream's controllers have their section, and its entry, already:
//
//  1. apis/config/v1beta1/widget.go: the section type, beginning with
//     Switch `json:",inline"`, every field with its doc, default, validate and
//     flag tags; the worker count tagged change:"resize".
//  2. an entry in v1beta1.Controllers: Widget WidgetController
//     `json:"widget-controller"`. The key is the controller's name; the package
//     is named the same without "-controller" and hyphens.
//  3. pkg/controllers/widget: Descriptor, which calls Define, and New.
//  4. an entry in pkg/catalog: widget.Descriptor().
//  5. make generate, for the golden files.
//
// A kind of object that nobody caches yet is a function in pkg/informer/kinds.go
// and a word in whole there. Flags, defaults, validation, the plan, metrics,
// health, the /configz entry and the life-cycle test follow from these. Tests run
// the controller with pkg/testkit/harness on a real API server, under its own
// service account, so that a missing right shows.
//
//	func Descriptor() controller.Descriptor {
//		return controller.Define(controller.Descriptor{Name: "widget-controller", ServiceAccount: "widget-controller"}, New)
//	}
//
//	type widgets struct {
//		*controller.Loop
//		client kubernetes.Interface
//		queue  *controller.Queue[string]
//		pods   *informer.Cache[*corev1.Pod]
//	}
//
//	func New(env controller.Env, section *v1beta1.WidgetController) (controller.Controller, error) {
//		c := &widgets{Loop: controller.NewLoop(env), client: env.API.Typed}
//		c.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{Name: "widget", Sync: c.sync})
//		c.pods = controller.Watch(c.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{Add: c.podAdded})
//		return c, nil
//	}
//
// pkg/controllers/ttlafterfinished is a whole one to read.
//
// # What a controller promises
//
// New checks and wires; it starts nothing, sends nothing, keeps nothing between
// calls, and may be called any number of times. A section that leaves nothing to
// do is answered with Decline. Run, which is usually the embedded Loop's, returns
// only when everything it started has ended. All state is in the struct that New
// made: no package variables. The time is env.Clock's, and so are the delays of
// queues, so that tests own them. Cached objects are shared; copy before changing, and
// do not write a trimmed one (a pod) back.
//
// # What the Loop promises
//
// At the start: watches are attached, every handler has seen every object, and no
// cache is older than the last write of this controller's previous run, before the
// first key is synced. At the stop, in this order: requests that have not begun
// fail with client.ErrStopping, unless client.Finishing marks them, while those
// under way finish; tasks return; handlers are removed and have ended; queued keys
// are dropped; syncs return; informers are given back; events are flushed; metrics
// are gone. An error that IsStopping reports is nobody's fault: it must show in no
// event, status or log.
//
// A panic in a sync, a handler or a task ends this run with an error and nothing
// else; the manager starts the controller anew with backoff.
package controller
