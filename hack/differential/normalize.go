// SPDX-License-Identifier: Apache-2.0

package differential

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

var (
	timeText = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|[+-]\d\d:?\d\d))?( [A-Z]{3,4})?`)
	uidText  = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	ipText   = regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b|\bfd[0-9a-f]{2}:[0-9a-f:]+`)
	// Certificates and tokens, plain or as data of Secrets.
	keyText = regexp.MustCompile(`(?s)-----BEGIN ([A-Z ]+)-----.*?-----END [A-Z ]+-----|\b(LS0tLS1CRUdJTi|ZXlKaGJ)[A-Za-z0-9+/=]+|\beyJhb[\w.-]+`)
	// How the API server names the certificate of whoever asks.
	certificateText = regexp.MustCompile(`X509SHA256=[0-9a-f]+`)
	// The API server's random endings, and the minutes in names of a CronJob's Jobs.
	randomEnd = regexp.MustCompile(`-[bcdfghjklmnpqrstvwxz2456789]{5}\b`)
	minutes   = regexp.MustCompile(`-\d{8,}\b`)
)

// object is one of a snapshot.
type object map[string]any

func (o object) field(path string) any {
	var at any = map[string]any(o)
	for part := range strings.SplitSeq(path, ".") {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[part]
	}
	return at
}

func (o object) text(path string) string {
	s, _ := o.field(path).(string)
	return s
}

// drop removes a field, and the maps that become empty by that.
func (o object) drop(path string) { drop(o, strings.Split(path, ".")) }

func drop(m map[string]any, path []string) {
	if len(path) > 1 {
		inner, ok := m[path[0]].(map[string]any)
		if !ok {
			return
		}
		drop(inner, path[1:])
		if len(inner) > 0 {
			return
		}
	}
	delete(m, path[0])
}

// Normalize writes objects in a form in which those of two runs are equal when
// the runs had the same effect. The objects themselves stay as they are.
func Normalize(s *Scenario, objects []map[string]any, namespace string) []string {
	n := &normalizer{scenario: s, namespace: namespace, uids: map[string]string{}, hashes: map[string]string{}, written: written(s)}
	for _, o := range objects {
		n.hash(o)
	}
	for _, o := range objects {
		n.uids[object(o).text("metadata.uid")] = object(o).text("kind") + "/" + n.rename(object(o).text("metadata.name"))
	}
	var out []string
	for _, o := range objects {
		if o := n.object(runtime.DeepCopyJSON(o)); o != nil {
			data, err := yaml.Marshal(o)
			if err != nil {
				data = []byte(err.Error())
			}
			out = append(out, string(data))
		}
	}
	slices.Sort(out)
	return compactEvents(out)
}

// compactEvents leaves one of equal events: how often they were repeated is up
// to the API server's answers.
func compactEvents(sorted []string) []string {
	var out []string
	for i, o := range sorted {
		if i > 0 && o == sorted[i-1] && strings.HasPrefix(o, "event: ") {
			continue
		}
		out = append(out, o)
	}
	return out
}

type normalizer struct {
	scenario  *Scenario
	namespace string
	uids      map[string]string
	hashes    map[string]string
	// written are addresses that the scenario itself names.
	written map[string]bool
}

func written(s *Scenario) map[string]bool {
	ips := map[string]bool{}
	data, err := json.Marshal(s.Steps)
	if err != nil {
		return nil
	}
	for _, ip := range ipText.FindAllString(string(data), -1) {
		ips[ip] = true
	}
	return ips
}

// hash remembers that of a revision, so that only its number is compared.
func (n *normalizer) hash(o object) {
	if !n.scenario.Apart {
		return
	}
	revision := o.field("revision")
	if annotations, _ := o.field("metadata.annotations").(map[string]any); o.text("kind") == "ReplicaSet" {
		revision = annotations["deployment.kubernetes.io/revision"]
	}
	labels, _ := o.field("metadata.labels").(map[string]any)
	for _, label := range []string{"controller-revision-hash", "controller.kubernetes.io/hash", "pod-template-hash"} {
		if hash, _ := labels[label].(string); hash != "" && revision != nil {
			n.hashes[hash] = fmt.Sprintf("<hash of revision %v>", revision)
		}
	}
}

// rename writes a text without what differs from run to run.
func (n *normalizer) rename(s string) string {
	s = strings.ReplaceAll(s, n.namespace, "${namespace}")
	s = strings.ReplaceAll(s, base64.StdEncoding.EncodeToString([]byte(n.namespace)), "<${namespace} in base64>")
	s = certificateText.ReplaceAllString(s, "<certificate>")
	for hash, name := range n.hashes {
		s = strings.ReplaceAll(s, hash, name)
	}
	s = keyText.ReplaceAllString(s, "<key material>")
	s = timeText.ReplaceAllString(s, "<time>")
	s = uidText.ReplaceAllStringFunc(s, func(uid string) string { return "<uid of " + n.uids[uid] + ">" })
	s = ipText.ReplaceAllStringFunc(s, func(ip string) string {
		if n.written[ip] {
			return ip
		}
		return "<ip>"
	})
	s = randomEnd.ReplaceAllString(s, "-*")
	return minutes.ReplaceAllString(s, "-<minutes>")
}

func (n *normalizer) object(o object) object {
	kind := o.text("kind")
	if kind == "Event" {
		return n.event(o)
	}
	if generation, observed := o.field("metadata.generation"), o.field("status.observedGeneration"); observed != nil {
		o["status"].(map[string]any)["observedGeneration"] = generation == observed
	}
	for _, f := range []string{"uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"} {
		o.drop("metadata." + f)
	}
	switch {
	case kind == "Pod":
		n.pod(o)
	case kind == "Endpoints", kind == "EndpointSlice":
		n.endpoints(o)
	case kind == "HorizontalPodAutoscaler" && n.scenario.Apart:
		forgetRescale(o)
	}
	for _, d := range n.scenario.Differences {
		if d.Kind != kind || d.Reason != "" {
			continue
		}
		if d.Field == "" {
			return nil
		}
		o.drop(d.Field)
	}
	return n.walk(map[string]any(o)).(map[string]any)
}

// endpoints drops the time of the change that led to the last write where chance
// decides whether there is one: a program that has just started knows no changes,
// and a sync of Endpoints that finds an old object forgets them.
func (n *normalizer) endpoints(o object) {
	annotations, ok := o.field("metadata.annotations").(map[string]any)
	if !ok || o.text("kind") == "EndpointSlice" && !n.scenario.Apart {
		return
	}
	if delete(annotations, corev1.EndpointsLastChangeTriggerTime); len(annotations) == 0 {
		o.drop("metadata.annotations")
	}
}

// pod drops where chance put it and what the simulated kubelet says of it.
func (n *normalizer) pod(o object) {
	if !n.scenario.Nodes {
		o.drop("spec.nodeName")
		if labels, ok := o.field("metadata.labels").(map[string]any); ok {
			delete(labels, corev1.LabelTopologyRegion)
			delete(labels, corev1.LabelTopologyZone)
		}
	}
	status := map[string]any{}
	for _, f := range []string{"phase", "reason", "message"} {
		if v := o.field("status." + f); v != nil {
			status[f] = v
		}
	}
	conditions, _ := o.field("status.conditions").([]any)
	var kept []any
	for _, c := range conditions {
		switch m, _ := c.(map[string]any); m["type"] {
		case "Initialized", "Ready", "ContainersReady", "PodScheduled", "PodReadyToStartContainers":
		default:
			kept = append(kept, c)
		}
	}
	if kept != nil {
		status["conditions"] = kept
	}
	o["status"] = status
}

// forgetRescale drops what only the status tells of a rescale: a program that is
// killed between that of the target and that write cannot know it any more. Nor
// can upstream's. How many replicas are wanted is found out again, if there are
// metrics.
func forgetRescale(o object) {
	o.drop("status.lastScaleTime")
	conditions, _ := o.field("status.conditions").([]any)
	for _, c := range conditions {
		if m, _ := c.(map[string]any); m["type"] == "ScalingActive" && m["status"] == "False" {
			o.drop("status.desiredReplicas")
		}
	}
	conditions = slices.DeleteFunc(conditions, func(c any) bool { return typeOf(c) == "ScaledToZero" })
	if status, ok := o["status"].(map[string]any); ok {
		status["conditions"] = conditions
	}
}

// event keeps who said what about which object; those of others than controllers
// go.
func (n *normalizer) event(o object) object {
	component := o.text("source.component")
	if component == "" {
		component = o.text("reportingComponent")
	}
	reason := o.text("reason")
	switch component {
	case "default-scheduler", "kwok", "kwok_controller", "kubelet", "ipallocator-repair-controller", "portallocator-repair-controller":
		return nil
	}
	if n.scenario.Events == "none" {
		return nil
	}
	for _, d := range n.scenario.Differences {
		if d.Kind == "Event" && (d.Reason == "" || d.Reason == reason) {
			return nil
		}
	}
	e := object{
		"event": n.rename(component + " " + o.text("type") + " " + reason + " of " + o.text("involvedObject.kind") + "/" + o.text("involvedObject.name")),
	}
	if n.scenario.Events == "" {
		e["message"] = n.rename(o.text("message"))
	}
	return e
}

// unordered are lists whose order has no meaning.
var unordered = []string{"endpoints", "subsets", "addresses", "notReadyAddresses"}

// walk rewrites all texts, and sorts lists whose order has no meaning: conditions
// by type, and those of endpoints.
func (n *normalizer) walk(v any) any {
	switch v := v.(type) {
	case string:
		return n.rename(v)
	case []any:
		for i := range v {
			v[i] = n.walk(v[i])
		}
		return v
	case map[string]any:
		out := map[string]any{}
		for k, inner := range v {
			inner = n.walk(inner)
			if k == "resourceVersion" { // in a reference
				inner = "<version>"
			}
			if list, ok := inner.([]any); ok && k == "conditions" {
				slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(typeOf(a), typeOf(b)) })
			}
			if list, ok := inner.([]any); ok && slices.Contains(unordered, k) {
				slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(textOf(a), textOf(b)) })
			}
			out[n.rename(k)] = inner
		}
		return out
	default:
		return v
	}
}

func textOf(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

func typeOf(condition any) string {
	m, _ := condition.(map[string]any)
	s, _ := m["type"].(string)
	return s
}
