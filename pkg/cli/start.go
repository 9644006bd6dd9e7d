// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"

	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/lastgood"
)

// resort is what a start does about a configuration that is refused.
type resort struct {
	store lastgood.Store
	// fallBack to what the store has, instead of ending the program.
	fallBack bool
}

func (r resort) check() error {
	if r.fallBack && r.store.Path == "" {
		return errors.New("--fallback-to-last-good needs --last-good-file, the file that has it")
	}
	return nil
}

// start applies the configuration of the files and returns it with the content
// that need not be looked at again. When it is refused, the last good one is
// applied, if that is wanted.
func (d *daemon) start() (*config.Loaded, config.Content, error) {
	content := d.paths.Read()
	first, err := d.try(d.paths.File, content)
	if err == nil || !d.resort.fallBack {
		return first, content, err
	}
	good, failed := d.lastGood()
	if failed != nil {
		return nil, content, fmt.Errorf("%w\nno last good configuration: %w", err, failed)
	}
	d.reject(err)
	d.logger.Error(nil, "Started on the last good configuration, because the present one is refused", "config", good.Hash, "lastGoodFile", d.resort.store.Path)
	d.manager.FellBack(err)
	return good, content, nil
}

// try loads and applies a first configuration.
func (d *daemon) try(base string, content config.Content) (*config.Loaded, error) {
	if content.Err != nil {
		return nil, fmt.Errorf("configuration: %w", content.Err)
	}
	first, err := d.load(base, content)
	if err != nil {
		return nil, err
	}
	d.log.Set(first.Config.Logging)
	d.logger.Info("Starting", "version", version.Get().GitVersion, "config", first.Hash, "file", d.paths.File, "dir", d.paths.Dir)
	d.warn(first)
	return first, d.manager.Apply(first)
}

func (d *daemon) lastGood() (*config.Loaded, error) {
	base, content, err := d.resort.store.Load()
	if err != nil {
		return nil, err
	}
	return d.try(base, content)
}

// keep has a configuration that proved itself kept. It does not wait for the
// disk; whoever writes last writes the latest.
func (d *daemon) keep(good *config.Loaded) {
	if d.resort.store.Path == "" || len(good.Content.Data)+len(good.Content.DropIns) == 0 {
		return
	}
	d.good.Store(good)
	d.saving.Go(func() {
		d.saveMu.Lock()
		defer d.saveMu.Unlock()
		if err := d.resort.store.Save(d.paths.File, d.good.Load().Content); err != nil {
			d.logger.Error(err, "The last good configuration could not be kept", "file", d.resort.store.Path)
		}
	})
}
