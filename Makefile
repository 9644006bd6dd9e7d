# SPDX-License-Identifier: Apache-2.0

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The Kubernetes version that this program stands in for.
KUBE_VERSION := $(shell go list -m -f '{{.Version}}' k8s.io/client-go | sed 's/^v0\./v1./')
VERSION_PKG := k8s.io/component-base/version
LDFLAGS := -s -w \
	-X $(VERSION_PKG).gitVersion=$(KUBE_VERSION) \
	-X $(VERSION_PKG).gitMajor=1 \
	-X $(VERSION_PKG).gitMinor=$(word 2,$(subst ., ,$(KUBE_VERSION))) \
	-X $(VERSION_PKG).gitCommit=$(shell git rev-parse HEAD 2>/dev/null) \
	-X $(VERSION_PKG).gitTreeState=$(shell test -z "$$(git status --porcelain 2>/dev/null)" && echo clean || echo dirty)

.PHONY: help
help: ## Show the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/kube-controller-manager
	@echo "Building bin/kube-controller-manager $(KUBE_VERSION)"
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/kube-controller-manager ./cmd/kube-controller-manager

.PHONY: tools
tools: ## Build the API server and its friends once, for run, test and bench
	@echo "Looking for the control plane's programs"
	@go run ./hack/buildtools

.PHONY: run
run: tools build ## Start a local control plane with 5 nodes and the manager on the quickstart file
	@echo "Starting the local control plane"
	@go build -o bin/localcluster ./hack/localcluster
	@exec bin/localcluster --nodes 5 -- bin/kube-controller-manager --config config-examples/valid/quickstart.yaml --kubeconfig '{manager}' \
		--authentication-kubeconfig '{manager}' --authorization-kubeconfig '{manager}' \
		--root-ca-file '{dir}/pki/ca.crt' --service-account-private-key-file '{dir}/pki/sa.key' \
		--cluster-signing-cert-file '{dir}/pki/ca.crt' --cluster-signing-key-file '{dir}/pki/ca.key'

# Packages whose own concurrency matters run under the race detector; so do the
# controllers, which run many workers.
.PHONY: test
test: verify tools build ## Run all checks and tests: unit, real API server, race detector
	go test -race -timeout 20m ./...
	go test -timeout 20m ./hack/model
	go test -timeout 40m ./hack/differential

FUZZTIME ?= 10m

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME, one after another
	@git ls-files '*_test.go' | xargs grep -H -o -E '^func Fuzz[A-Za-z0-9_]+' | while IFS=: read -r file target; do \
		echo "$$(dirname "$$file"): $${target#func }"; \
		go test "./$$(dirname "$$file")" -run '^$$' -fuzz "^$${target#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x -parallel 1; \
	done

.PHONY: verify
verify: ## Check formatting, vet and generated files
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not gofmt'd:"; echo "$$unformatted"; exit 1; }
	@go vet ./...
	@go mod verify >/dev/null && go mod tidy -diff

.PHONY: generate
generate: ## Write generated files anew
	@go generate ./apis/...
	@UPDATE_GOLDEN=1 go test ./pkg/config ./pkg/plan ./pkg/report ./pkg/cli

.PHONY: man
man: ## Write the manual pages to bin/man
	@echo "Writing bin/man"
	@go run ./hack/man bin/man

.PHONY: bench
bench: tools build ## Measure reloads, memory, size and work on many objects beside upstream's program
	@go run ./hack/bench
