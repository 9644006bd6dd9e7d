// SPDX-License-Identifier: Apache-2.0

// Package certificatesigningrequestsigning issues certificates for approved
// CertificateSigningRequests of the four built-in signers whose CA it was given.
//
// The files of a CA may be replaced at any time: the next certificate is then of
// the new one, and what the old one could not sign is tried again. As long as the
// files do not go together, the old pair signs on.
package certificatesigningrequestsigning

import (
	"context"
	"errors"
	"fmt"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/certificaterequest"
	"github.com/kube-live/kube-controller-manager/pkg/material"
)

// workers is upstream's number for each signer, which nothing configures.
const workers = 5

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "certificatesigningrequest-signing-controller",
		Alias:          "csrsigning",
		ServiceAccount: "certificate-controller",
	}, New)
}

type signing struct {
	*controller.Loop

	client   kubernetes.Interface
	clock    clock.PassiveClock
	duration time.Duration

	authorities []*material.Files[*authority] // in the order of profiles
	signers     map[string]*signer            // by name
	renewals    *controller.Queue[string]     // of names of signers whose CA is another now
	requests    *informer.Cache[*certificatesv1.CertificateSigningRequest]
}

// signer is one of the four. It has a queue of its own, so that the failures of
// one do not hold up the others.
type signer struct {
	*signing
	profile

	ca    *material.Files[*authority]
	queue *controller.Queue[string] // of names of requests
}

// New reads the files and wires a run of the controller.
func New(env controller.Env, section *v1beta1.CertificateSigningRequestSigningController) (controller.Controller, error) {
	chosen := choose(section)
	if len(chosen) == 0 {
		return nil, controller.Decline("no csr cert/key was specified")
	}
	c := &signing{
		Loop: controller.NewLoop(env), client: env.API.Typed, clock: env.Clock, duration: section.Duration.Duration,
		signers: map[string]*signer{},
	}
	opened := map[pair]*material.Files[*authority]{} // those with the same files share them
	for _, p := range profiles() {
		files, ok := chosen[p.name]
		if !ok {
			continue
		}
		if opened[files] == nil {
			ca, err := c.open(env, files)
			if err != nil {
				return nil, fmt.Errorf("failed to init %s certificate controller: %w", p.name, err)
			}
			opened[files] = ca
		}
		s := &signer{signing: c, profile: p, ca: opened[files]}
		s.queue = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
			Name: "certificate", Workers: controller.NewWorkers(workers), Limiter: certificaterequest.Retries(), Sync: s.sync,
		})
		c.signers[p.name] = s
	}
	c.renewals = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name: "DynamicCABundle-csr-controller", Workers: controller.NewWorkers(1), Sync: c.renew,
	})
	c.requests = controller.Watch(c.Loop, informer.CertificateSigningRequests(), controller.Handler[*certificatesv1.CertificateSigningRequest]{
		Add:    c.queueRequest,
		Update: func(_, csr *certificatesv1.CertificateSigningRequest) { c.queueRequest(csr) },
		Delete: c.queueRequest, // ends its retries
	})
	return c, nil
}

// open reads a pair of files and has it followed.
func (c *signing) open(env controller.Env, p pair) (*material.Files[*authority], error) {
	files, err := material.Open([]string{p.cert, p.key}, parseAuthority, env.Clock, env.Logger)
	if err != nil {
		return nil, err
	}
	c.authorities = append(c.authorities, files)
	c.Go(func(ctx context.Context) { files.Run(ctx, func() { c.renewed(files) }) })
	return files, nil
}

// queueRequest gives a request to the signer it asks, if that one is here.
func (c *signing) queueRequest(csr *certificatesv1.CertificateSigningRequest) {
	if s := c.signers[csr.Spec.SignerName]; s != nil {
		s.queue.Add(csr.Name)
	}
}

func (c *signing) renewed(files *material.Files[*authority]) {
	for name, s := range c.signers {
		if s.ca == files {
			c.renewals.Add(name)
		}
	}
}

// Health is part of controller.Healthy: it says which files are not in use because
// they cannot be.
func (c *signing) Health() error {
	var errs []error
	for _, files := range c.authorities {
		errs = append(errs, files.Health())
	}
	return errors.Join(errs...)
}
