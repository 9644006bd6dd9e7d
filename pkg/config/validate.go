// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// newValidator knows the tags of the configuration types: go-playground's, with
// durations compared as such, and the project's own.
func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _ := tags.JSONName(f)
		return name
	})
	v.RegisterCustomTypeFunc(func(v reflect.Value) any {
		return v.Interface().(metav1.Duration).Duration
	}, metav1.Duration{})
	for name, holds := range rules() {
		err := v.RegisterValidation(name, func(fl validator.FieldLevel) bool { return holds(fl.Field().String()) })
		if err != nil {
			panic(err) // the tag's name is not valid
		}
	}
	return v
}

// finding is a problem of a value alone, or together with that of another path.
type finding struct {
	Problem
	other string
}

// check validates a configuration by its tags and by the rules that concern
// several fields. Places are filled in by the caller.
func check(c *v1beta1.KubeControllerManagerConfiguration) []finding {
	var alone, together []finding
	var invalid validator.ValidationErrors
	if err := newValidator().Struct(c); errors.As(err, &invalid) {
		for _, f := range invalid {
			_, path, _ := strings.Cut(f.Namespace(), ".")
			found := finding{Problem: Problem{Rule: RuleValue, Path: path, Value: text(f.Value()), Reason: reason(f)}}
			if f.Tag() == "required_with" {
				found.Rule, found.other = RuleCrossField, tags.Join(parent(path), jsonName(f.Param()))
			}
			alone = append(alone, found)
		}
	}
	together = append(together, election(c.LeaderElection)...)
	together = append(together, signing(c.Controllers.CertificateSigningRequestSigning)...)
	together = append(together, upstream(c)...)
	if len(c.Logging.VModule) > 0 && c.Logging.Format != "text" {
		together = append(together, finding{Problem{Path: "logging.vmodule", Reason: "only works with the format text"}, "logging.format"})
	}
	for i := range together {
		together[i].Rule = RuleCrossField
	}
	return append(alone, together...)
}

func text(v any) string {
	if d, ok := v.(time.Duration); ok {
		return d.String()
	}
	return fmt.Sprint(v)
}

// reason says a broken rule in words.
func reason(f validator.FieldError) string { return Rule(f.Tag(), f.Param()) }

// Rule says in words what a declarative rule of a field demands: the messages
// of Load and the reference documentation are the same sentences.
func Rule(tag, param string) string {
	switch tag {
	case "required":
		return "must not be empty"
	case "required_with":
		return fmt.Sprintf("must be set together with %s", jsonName(param))
	case "gt":
		return "must be greater than " + param
	case "gte":
		return "must be at least " + param
	case "lt":
		return "must be less than " + param
	case "lte":
		return "must be at most " + param
	case "oneof":
		if !strings.Contains(param, " ") {
			return "must be " + param
		}
		return "must be one of " + strings.ReplaceAll(param, " ", ", ")
	case "ip":
		return "must be an IP address"
	case "hostname_port":
		return "must be HOST:PORT such as 127.0.0.1:4317"
	case "url":
		return "must be a URL such as https://10.0.0.1:6443"
	case "max":
		return fmt.Sprintf("must have at most %s items", param)
	case "unique":
		return "must not have an item twice"
	case "cidr":
		return "must be a network such as 10.244.0.0/16 or fd00::/48"
	}
	if words, ok := broken()[tag]; ok {
		return words
	}
	return "breaks the rule " + tag
}

// jsonName is the name in the file of a Go field that a rule refers to.
func jsonName(field string) string {
	head := strings.TrimLeft(field, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	upper := len(field) - len(head)
	if upper > 1 {
		upper-- // the last capital of TLSCert begins the next word
	}
	return strings.ToLower(field[:upper]) + field[upper:]
}

// election has the rules that client-go's elector insists on.
func election(le v1beta1.LeaderElection) (found []finding) {
	if !le.LeaderElect {
		return nil
	}
	lease, renew, retry := le.LeaseDuration.Duration, le.RenewDeadline.Duration, le.RetryPeriod.Duration
	if lease <= renew {
		found = append(found, finding{Problem{Path: "leaderElection.leaseDuration", Value: lease.String(),
			Reason: fmt.Sprintf("must be longer than renewDeadline, which is %s", renew)}, "leaderElection.renewDeadline"})
	}
	if float64(renew) <= 1.2*float64(retry) {
		found = append(found, finding{Problem{Path: "leaderElection.renewDeadline", Value: renew.String(),
			Reason: fmt.Sprintf("must be longer than 1.2 times retryPeriod, which is %s", retry)}, "leaderElection.retryPeriod"})
	}
	if le.Migration.Enabled && le.ResourceLock != "leases" {
		found = append(found, finding{Problem{Path: "leaderElection.migration.enabled", Value: "true",
			Reason: "needs resourceLock leases, which is " + le.ResourceLock}, "leaderElection.resourceLock"})
	}
	return found
}

// signing: one CA for all signers, or one for each.
func signing(c v1beta1.CertificateSigningRequestSigningController) (found []finding) {
	const section = "controllers.certificatesigningrequest-signing-controller."
	single := ""
	tags.Walk(&c, func(f tags.Field) {
		both := f.Path == "certFile" || f.Path == "keyFile"
		if single == "" && !both && f.Tag.Get("path") != "" && f.Value.String() != "" {
			single = f.Path
		}
	})
	if single == "" {
		return nil
	}
	for _, file := range []struct{ name, value string }{{"certFile", c.CertFile}, {"keyFile", c.KeyFile}} {
		if file.value != "" {
			found = append(found, finding{Problem{Path: section + file.name, Value: file.value,
				Reason: "cannot be set together with files of single signers"}, section + single})
		}
	}
	return found
}
