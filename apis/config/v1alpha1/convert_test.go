// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"math/rand"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1alpha1"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

type configuration = v1alpha1.KubeControllerManagerConfiguration

var names = map[string]string{
	"job": "job-controller", "job-controller": "job-controller", "podgc": "pod-garbage-collector-controller", "pod-garbage-collector-controller": "pod-garbage-collector-controller",
	"tokencleaner": "token-cleaner-controller", "token-cleaner-controller": "token-cleaner-controller",
}

// Every field goes somewhere, or is kept and says that it has no effect, and no
// two fields fight for one of the hub.
func TestEveryFieldGoesSomewhere(t *testing.T) {
	hub := conversion.Fields(conversion.NewHub())
	owners := map[string]string{}
	tags.Walk(v1alpha1.New(), func(f tags.Field) {
		targets := conversion.Targets(f)
		if len(targets) == 0 && f.Inert() == "" && f.Path != v1alpha1.ControllersPath {
			t.Errorf("%s goes nowhere and does not say why", f.Path)
		}
		for _, to := range targets {
			if _, ok := hub[to]; !ok {
				t.Errorf("%s goes to %s, which does not exist", f.Path, to)
			}
			if _, part := f.Tag.Lookup("part"); owners[to] != "" && !part {
				t.Errorf("%s and %s go to %s", f.Path, owners[to], to)
			}
			owners[to] = f.Path
		}
	})
}

// The names in a file are upstream's Go names in camelCase.
func TestNamesFollowFromUpstreams(t *testing.T) {
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, inline := tags.JSONName(f)
			if !inline && !strings.EqualFold(name, f.Name) {
				t.Errorf("%s.%s is called %s", typ, f.Name, name)
			}
			if !inline && !tags.IsLeaf(f.Type) {
				visit(f.Type)
			}
		}
	}
	visit(reflect.TypeFor[configuration]())
}

func TestDefaultsAreTheHubs(t *testing.T) {
	h := v1alpha1.ToV1beta1(v1alpha1.New(), names)
	if diff := cmp.Diff(conversion.NewHub(), h); diff != "" {
		t.Errorf("the defaults of both versions differ (-v1beta1 +converted)\n%s", diff)
	}
}

func TestRoundTripLosesNothing(t *testing.T) {
	for name, edit := range map[string]func(*configuration){
		"nothing":        func(*configuration) {},
		"dead fields":    func(c *configuration) { c.Generic.Port, c.Generic.Address = 10252, "::1" },
		"unused timeout": func(c *configuration) { c.NodeLifecycleController.PodEvictionTimeout.Duration = time.Minute },
		"retries": func(c *configuration) {
			leaf(c, "persistentVolumeBinderController.volumeConfiguration.persistentVolumeRecyclerConfiguration.maximumRetry").SetInt(9)
		},
		"cloud workers":      func(c *configuration) { c.ServiceController.ConcurrentServiceSyncs = 1 },
		"more cloud workers": func(c *configuration) { c.ServiceController.ConcurrentServiceSyncs = 4 },
		"second CIDR only":   func(c *configuration) { c.NodeIPAMController.SecondaryServiceCIDR = "fd00::/108" },
		"both CIDRs": func(c *configuration) {
			c.NodeIPAMController.ServiceCIDR, c.NodeIPAMController.SecondaryServiceCIDR = "10.0.0.0/16", "fd00::/108"
		},
		"cluster CIDRs":       func(c *configuration) { c.KubeCloudShared.ClusterCIDR = "10.1.0.0/16,fd01::/48" },
		"no ignored resource": func(c *configuration) { c.GarbageCollectorController.GCIgnoredResources = nil },
		"migration": func(c *configuration) {
			c.Generic.LeaderMigrationEnabled = true
			c.Generic.LeaderMigration.ControllerLeaders = []v1alpha1.ControllerLeaderConfiguration{{Name: "route-controller", Component: "*"}}
		},
		"nothing runs":        func(c *configuration) { c.Generic.Controllers = nil },
		"order and repeats":   func(c *configuration) { c.Generic.Controllers = []string{"podgc", "-job", "*", "job", "*"} },
		"off-by-default":      func(c *configuration) { c.Generic.Controllers = []string{"*", "tokencleaner"} },
		"off-by-default, off": func(c *configuration) { c.Generic.Controllers = []string{"*", "-token-cleaner-controller"} },
		"unknown name":        func(c *configuration) { c.Generic.Controllers = []string{"*", "-nobody"} },
	} {
		t.Run(name, func(t *testing.T) {
			c := v1alpha1.New()
			edit(c)
			roundTrip(t, c)
		})
	}
}

func roundTrip(t *testing.T, c *configuration) {
	t.Helper()
	h := v1alpha1.ToV1beta1(c, names)
	back, lost := v1alpha1.FromV1beta1(h, names)
	if diff := cmp.Diff(c, back, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got)\n%s\nannotations %v", diff, h.Annotations)
	}
	if len(lost) > 0 {
		t.Errorf("lost %+v", lost)
	}
}

func leaf(c *configuration, path string) reflect.Value { return conversion.Fields(c)[path].Value }

func TestSelectionBecomesSwitches(t *testing.T) {
	on, off := true, false
	c := v1alpha1.New()
	c.Generic.Controllers = []string{"-job", "*", "job", "tokencleaner"}
	h := v1alpha1.ToV1beta1(c, names)
	if h.Controllers.Baseline != v1beta1.BaselineDefault {
		t.Errorf("baseline %s", h.Controllers.Baseline)
	}
	if diff := cmp.Diff([]*bool{&off, &on, nil}, []*bool{h.Controllers.Job.Enabled, h.Controllers.TokenCleaner.Enabled, h.Controllers.CronJob.Enabled}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Who edits the hub's file after a conversion has the last word.
func TestAnnotationsThatAreOutOfDateDoNotCount(t *testing.T) {
	c := v1alpha1.New()
	c.Generic.Controllers = []string{"job", "*"}
	c.ServiceController.ConcurrentServiceSyncs = 1
	h := v1alpha1.ToV1beta1(c, names)
	h.Controllers.Job.Enabled = nil
	h.Controllers.ServiceLB.Workers = 7
	back, _ := v1alpha1.FromV1beta1(h, names)
	if diff := cmp.Diff([]string{"*"}, back.Generic.Controllers); diff != "" || back.ServiceController.ConcurrentServiceSyncs != 7 {
		t.Errorf("workers %d, controllers (-want +got)\n%s", back.ServiceController.ConcurrentServiceSyncs, diff)
	}
}

func TestWhatIsLostIsNamed(t *testing.T) {
	h := conversion.NewHub()
	h.Serving.Port = 10260
	h.Informers.Linger = metav1.Duration{Duration: time.Minute}
	h.Controllers.ServiceAccountToken.RootCAFile = "a"
	h.Controllers.RootCACertificatePublisher.RootCAFile = "b"
	_, lost := v1alpha1.FromV1beta1(h, names)
	want := []conversion.Loss{
		{Path: "informers.linger", Value: "1m0s"},
		{Path: "serving.port", Value: "10260", Flag: "secure-port"},
		{Path: "controllers.kube-apiserver-serving-clustertrustbundle-publisher-controller.rootCAFile", Flag: "root-ca-file"},
		{Path: "controllers.root-ca-certificate-publisher-controller.rootCAFile", Value: "b", Flag: "root-ca-file"},
	}
	if diff := cmp.Diff(want, lost); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for seed := range int64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) {
		r := rand.New(rand.NewSource(seed))
		c := v1alpha1.New()
		tags.Walk(c, func(f tags.Field) {
			if r.Intn(3) == 0 {
				f.Value.Set(random(r, f))
			}
		})
		roundTrip(t, c)
	})
}

func random(r *rand.Rand, f tags.Field) reflect.Value {
	texts := []string{"", "a", "a,b", ",", "10.0.0.0/8", "\"\n=", "events.k8s.io"}
	switch f.Value.Interface().(type) {
	case []v1alpha1.GroupResource:
		return reflect.ValueOf([]v1alpha1.GroupResource{{Group: texts[r.Intn(len(texts))], Resource: "x"}}[:r.Intn(2)])
	case []v1alpha1.ControllerLeaderConfiguration:
		return reflect.ValueOf([]v1alpha1.ControllerLeaderConfiguration{{Name: texts[r.Intn(len(texts))], Component: "*"}}[:r.Intn(2)])
	case metav1.Duration:
		return reflect.ValueOf(metav1.Duration{Duration: time.Duration(r.Int63())})
	case []string:
		all := []string{"*", "job", "-job", "podgc", "-tokencleaner", "job-controller", "nobody", ""}
		list := make([]string, r.Intn(6))
		for i := range list {
			list[i] = all[r.Intn(len(all))]
		}
		return reflect.ValueOf(list)
	}
	v := reflect.New(f.Value.Type()).Elem()
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.Intn(2) == 0)
	case reflect.Int32:
		v.SetInt(int64(int32(r.Uint32())))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(r.Float32()))
	case reflect.String:
		v.SetString(texts[r.Intn(len(texts))])
	default:
		panic(f.Path)
	}
	return v
}
