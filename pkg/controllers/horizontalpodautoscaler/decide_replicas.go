// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler

import (
	"math"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// tolerance is how far the ratio of the measured to the wanted value may be from 1
// without a change of scale.
type tolerance struct{ down, up float64 }

// toleranceOf is the HorizontalPodAutoscaler's own, by direction, or the default.
func toleranceOf(hpa *autoscalingv2.HorizontalPodAutoscaler, standard float64) tolerance {
	t := tolerance{standard, standard}
	b := hpa.Spec.Behavior
	if b == nil {
		return t
	}
	if b.ScaleDown != nil && b.ScaleDown.Tolerance != nil {
		t.down = b.ScaleDown.Tolerance.AsApproximateFloat64()
	}
	if b.ScaleUp != nil && b.ScaleUp.Tolerance != nil {
		t.up = b.ScaleUp.Tolerance.AsApproximateFloat64()
	}
	return t
}

func (t tolerance) within(ratio float64) bool { return 1-t.down <= ratio && ratio <= 1+t.up }

// reading is a number of replicas and the values it follows from.
type reading struct {
	replicas    int32
	utilization int32 // percent of the requests
	average     int64 // in thousandths
}

// measure has what is needed to compare samples with a target.
type measure struct {
	// ratio of samples to the target.
	ratio func(samples) (float64, reading, error)
	// fill is what a pod is assumed to use that has no sample, when less is used
	// than wanted.
	fill func(pod string) int64
}

// byUtilization compares with a percentage of what the pods request.
func byUtilization(requests map[string]int64, target int32) measure {
	return measure{
		ratio: func(all samples) (float64, reading, error) {
			var used, requested, n int64
			for name, s := range all {
				r, known := requests[name]
				if !known {
					continue
				}
				used += s.value
				requested += r
				n++
			}
			if requested == 0 {
				return 0, reading{}, errNoMatch
			}
			u := int32(used * 100 / requested)
			return float64(u) / float64(target), reading{utilization: u, average: used / n}, nil
		},
		fill: func(pod string) int64 { return requests[pod] * int64(max(100, target)) / 100 },
	}
}

// byAverage compares with a value for each pod, in thousandths.
func byAverage(target int64) measure {
	return measure{
		ratio: func(all samples) (float64, reading, error) {
			var sum int64
			for _, s := range all {
				sum += s.value
			}
			average := sum / int64(len(all))
			return float64(average) / float64(target), reading{average: average}, nil
		},
		fill: func(string) int64 { return target },
	}
}

// perPod is the number of replicas for samples of pods. What pods do that have no
// usable sample is assumed, always such that the change of scale becomes smaller;
// when that turns its direction, there is none. The samples are changed.
func (m measure) perPod(current int32, g groups, kept samples, t tolerance) (reading, error) {
	ratio, r, err := m.ratio(kept)
	if err != nil {
		return reading{}, err
	}
	addUnready := len(g.unready) > 0 && ratio > 1
	if !addUnready && len(g.missing) == 0 {
		r.replicas = current
		if !t.within(ratio) {
			r.replicas = replicas(ratio * float64(g.ready))
		}
		return r, nil
	}
	if ratio != 1 {
		for _, pod := range g.missing {
			s := sample{}
			if ratio < 1 {
				s.value = m.fill(pod)
			}
			kept[pod] = s
		}
	}
	if addUnready {
		for _, pod := range g.unready {
			kept[pod] = sample{}
		}
	}
	filled, _, err := m.ratio(kept)
	if err != nil {
		return reading{}, err
	}
	r.replicas = damped(current, ratio, filled, len(kept), t)
	return r, nil
}

// damped is the number of replicas after missing samples were filled in.
func damped(current int32, ratio, filled float64, n int, t tolerance) int32 {
	if t.within(filled) || ratio < 1 && filled > 1 || ratio > 1 && filled < 1 {
		return current
	}
	proposed := replicas(filled * float64(n))
	if filled < 1 && proposed > current || filled > 1 && proposed < current {
		return current
	}
	return proposed
}

// byValue is the number of replicas for a value that is everybody's. The ready pods
// are counted only when they matter.
func byValue(current int32, ratio float64, t tolerance, ready func() (int, error)) (int32, error) {
	switch {
	case current == 0:
		return replicas(ratio), nil
	case t.within(ratio):
		return current, nil
	}
	n, err := ready()
	if err != nil {
		return 0, err
	}
	return replicas(ratio * float64(n)), nil
}

// byShare is the number of replicas for a value that they share, and each one's
// share. There is no sensible share without replicas; what comes out then is what
// the processor makes of it, as upstream.
func byShare(value, target int64, present int32, t tolerance) reading {
	r := reading{replicas: present, average: int64(math.Ceil(float64(value) / float64(present)))}
	if !t.within(float64(value) / (float64(target) * float64(present))) {
		r.replicas = replicas(float64(value) / float64(target))
	}
	return r
}

// total of all series, at most the largest number.
func total(series []int64) int64 {
	var sum int64
	for _, v := range series {
		switch {
		case v > 0 && sum > math.MaxInt64-v:
			sum = math.MaxInt64
		case v < 0 && sum < math.MinInt64-v:
			sum = math.MinInt64
		default:
			sum += v
		}
	}
	return sum
}

// replicas rounds up, within what a number of replicas can be.
func replicas(n float64) int32 {
	switch n = math.Ceil(n); {
	case n >= math.MaxInt32:
		return math.MaxInt32
	case n <= math.MinInt32:
		return math.MinInt32
	}
	return int32(n)
}
