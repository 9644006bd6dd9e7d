// SPDX-License-Identifier: Apache-2.0

package legacyserviceaccounttokencleaner

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Labels of token Secrets. The API server writes the first one when a token is
// used, and refuses tokens of Secrets that have the second.
const (
	lastUsedLabel     = "kubernetes.io/legacy-token-last-used"
	invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since"
)

// action is what is done with a Secret.
type action int

const (
	keep action = iota
	mark
	remove
)

// limit is the moment before which a Secret must have been made, used and marked.
// Labels have only the date, in UTC.
type limit struct {
	at   time.Time
	date string
}

func limitOf(now time.Time, period time.Duration) limit {
	at := now.UTC().Add(-period)
	return limit{at: at, date: at.Format(time.DateOnly)}
}

// ripe says whether the API server has noted the use of tokens for a whole period,
// beginning with the first full day.
func ripe(since string, now time.Time, period time.Duration) (bool, error) {
	first, err := time.Parse(time.DateOnly, since)
	if err != nil {
		return false, err
	}
	return !now.UTC().Before(first.AddDate(0, 0, 1).Add(period)), nil
}

// decide says what becomes of a token Secret. The account is the one of the name in
// its annotation, or nil. Whether a pod uses the Secret is asked last, for the answer
// is dear.
func decide(s *corev1.Secret, account *corev1.ServiceAccount, l limit, inUse func(*corev1.Secret) bool) action {
	switch {
	case s.DeletionTimestamp != nil, !s.CreationTimestamp.Time.Before(l.at):
		return keep
	case usedSince(s, l), !listed(s, account):
		return keep
	case inUse(s):
		return keep
	}
	since := s.Labels[invalidSinceLabel]
	switch {
	case !isDate(since):
		return mark
	case since >= l.date:
		return keep
	}
	return remove
}

// usedSince says whether a token was used since the limit. A date that cannot be read
// counts so; none at all means that nobody has used it since uses are noted.
func usedSince(s *corev1.Secret, l limit) bool {
	used, found := s.Labels[lastUsedLabel]
	return found && (!isDate(used) || used >= l.date)
}

// listed says whether a Secret was made for its account and not by a user: then the
// account knows of it.
func listed(s *corev1.Secret, account *corev1.ServiceAccount) bool {
	if account == nil {
		return false
	}
	if uid := s.Annotations[corev1.ServiceAccountUIDKey]; uid != "" && uid != string(account.UID) {
		return false
	}
	return slices.ContainsFunc(account.Secrets, func(r corev1.ObjectReference) bool { return r.Name == s.Name })
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}
