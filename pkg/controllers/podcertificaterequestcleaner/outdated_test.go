// SPDX-License-Identifier: Apache-2.0

package podcertificaterequestcleaner

import (
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOutdated(t *testing.T) {
	now := time.Now()
	for age, want := range map[time.Duration]bool{
		0: false, 14 * time.Minute: false, 15*time.Minute - 1: false, 15 * time.Minute: true, time.Hour: true, -time.Hour: false,
	} {
		for _, condition := range []string{"", "Issued", "Denied", "Failed"} {
			r := &certificatesv1.PodCertificateRequest{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(now.Add(-age))}}
			r.Status.Conditions = []metav1.Condition{{Type: condition, Status: metav1.ConditionTrue}}
			if got := outdated(r, now); got != want {
				t.Errorf("%s old, %q: %v", age, condition, got)
			}
		}
	}
}
