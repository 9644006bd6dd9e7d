// SPDX-License-Identifier: Apache-2.0

package serviceaccounttoken

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
)

// lookAgain is the time after which a delaying queue looks at all its keys, whatever
// its timers say. So it misses no step of the clock that is that long.
const lookAgain = 10 * time.Second

func TestRetriesEnd(t *testing.T) {
	f := prepare(t)
	clock := clocktesting.NewFakeClock(time.Now())
	f.Kit.Clock = clock
	f.refuse["PUT secrets/stuck"] = true
	f.start()
	f.account("robot")
	f.create("stuck", "robot", nil)
	const tries = 1 + maxRetries
	f.Eventually(func() error {
		if n := f.count("PUT secrets/stuck"); n < tries {
			clock.Step(lookAgain)
			return fmt.Errorf("%d tries", n)
		}
		return nil
	})
	for range 10 {
		clock.Step(lookAgain)
	}
	f.settle()
	if n := f.count("PUT secrets/stuck"); n != tries {
		t.Errorf("%d tries, want %d", n, tries)
	}
	if n, _ := f.Metric("workqueue_retries_total", map[string]string{"name": "serviceaccount_tokens_service"}); n != maxRetries {
		t.Errorf("%v retries, want %d", n, maxRetries)
	}

	// The next event begins anew.
	f.mu.Lock()
	f.refuse["PUT secrets/stuck"] = false
	f.mu.Unlock()
	f.patch("stuck", `{"metadata":{"labels":{"changed":"yes"}}}`)
	f.filled("stuck")
}

// As upstream, a reference that cannot be removed stays.
func TestConflictsEnd(t *testing.T) {
	f := prepare(t)
	n := 0
	f.every["PUT serviceaccounts/robot"] = func() {
		n++
		sa, err := f.accounts.Get(t.Context(), "robot", metav1.GetOptions{})
		f.Must(err)
		sa.Secrets = append(sa.Secrets, corev1.ObjectReference{Name: fmt.Sprint("added-", n)})
		_, err = f.accounts.Update(t.Context(), sa, metav1.UpdateOptions{})
		f.Must(err)
	}
	f.start()
	f.account("robot", "token")
	f.create("token", "robot", nil)
	f.filled("token")
	f.remove("token")
	f.settle()
	if n := f.count("PUT serviceaccounts/robot"); n != 10 {
		t.Errorf("%d tries, want 10", n)
	}
	if got := f.listed("robot"); len(got) != 11 || got[0] != "token" {
		t.Errorf("the account lists %v", got)
	}
	if n, _ := f.Metric("workqueue_retries_total", map[string]string{"name": "serviceaccount_tokens_service"}); n != 0 {
		t.Errorf("%v retries, want none", n)
	}
}
