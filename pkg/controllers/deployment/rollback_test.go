// SPDX-License-Identifier: Apache-2.0

package deployment_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
)

func TestRollback(t *testing.T) {
	w := newWorld(t)
	w.play()
	w.create(object("web", 1, annotate("change-cause", "first")))
	w.completed("web")
	for _, v := range []string{"v2", "v3"} {
		w.change("web", setImage(v), annotate("change-cause", v))
		w.completed("web")
	}
	served := func(d *appsv1.Deployment) error {
		if _, asked := d.Annotations[rollbackTo]; asked {
			return fmt.Errorf("annotations %v", d.Annotations)
		}
		return nil
	}

	t.Run("to the last revision", func(t *testing.T) {
		w.change("web", annotate(rollbackTo, "0"))
		w.until("web", served)
		d := w.completed("web")
		w.event("web", "Normal", "DeploymentRollback", `Rolled back deployment "web" to revision 2`)
		rs := w.sized("web", map[string]int32{"v1": 0, "v2": 1, "v3": 0})["v2"]
		if rs.Annotations[revision] != "4" || rs.Annotations[revisionHistory] != "2" || d.Annotations[revision] != "4" || d.Annotations["change-cause"] != "v2" {
			t.Errorf("ReplicaSet %v, Deployment %v", rs.Annotations, d.Annotations)
		}
		if _, labelled := d.Spec.Template.Labels["pod-template-hash"]; labelled {
			t.Error("the template has the label of the ReplicaSet")
		}
	})

	t.Run("to a given revision", func(t *testing.T) {
		w.change("web", annotate(rollbackTo, "1"))
		w.until("web", served)
		d := w.completed("web")
		w.event("web", "Normal", "DeploymentRollback", `Rolled back deployment "web" to revision 1`)
		rs := w.sized("web", map[string]int32{"v1": 1, "v2": 0, "v3": 0})["v1"]
		if rs.Annotations[revision] != "5" || rs.Annotations[revisionHistory] != "1" || d.Annotations["change-cause"] != "first" {
			t.Errorf("ReplicaSet %v, Deployment %v", rs.Annotations, d.Annotations)
		}
	})

	t.Run("to the present one", func(t *testing.T) {
		before := w.get("web")
		w.change("web", annotate(rollbackTo, "5"))
		d := w.until("web", served)
		w.event("web", "Warning", "DeploymentRollbackTemplateUnchanged", `The rollback revision contains the same template as current deployment "web"`)
		if image := d.Spec.Template.Spec.Containers[0].Image; image != "v1" || d.Generation > before.Generation+2 {
			t.Errorf("image %s", image)
		}
	})

	t.Run("to one that is not known", func(t *testing.T) {
		w.change("web", annotate(rollbackTo, "2"))
		w.until("web", served)
		w.event("web", "Warning", "DeploymentRollbackRevisionNotFound", "Unable to find the revision to rollback to.")
	})

	t.Run("without a past", func(t *testing.T) {
		w.create(object("new", 1, annotate(rollbackTo, "0")))
		w.until("new", served)
		w.event("new", "Warning", "DeploymentRollbackRevisionNotFound", "Unable to find last revision.")
		w.completed("new")
	})

	t.Run("not while paused", func(t *testing.T) {
		w.change("web", setPaused(true), annotate(rollbackTo, "3"))
		w.until("web", observed)
		w.settled()
		if got := w.get("web").Annotations[rollbackTo]; got != "3" {
			t.Errorf("annotation %q", got)
		}
		w.change("web", setPaused(false))
		w.until("web", served)
		w.completed("web")
		w.sized("web", map[string]int32{"v1": 0, "v2": 0, "v3": 1})
	})
}
