// Settings that change while the pipeline runs: what each does, its bounds and what holds.
import {api} from './api.js';
import {report} from './confirm.js';
import {html, live, nothing, render} from './lib.js';
import {toast} from './notify.js';

export function settingsPage(store, root) {
  return new SettingsPage(store, root).start();
}

class SettingsPage {
  #store;
  #root;
  #settings;
  #trouble;
  #edited = new Map();     // name → text, as it is typed
  #wrong = new Map();      // name → why
  #busy = false;
  #known;

  constructor(store, root) {
    this.#store = store;
    this.#root = root;
  }

  start() {
    const end = this.#store.subscribe(() => {
      // What somebody else changed is shown; what is being typed stays.
      const now = JSON.stringify(this.#store.pipeline?.settings);
      if (now !== this.#known) {
        this.#known = now;
        this.#load();
      }
    });
    this.#draw();
    this.#load();
    return end;
  }

  async #load() {
    try {
      this.#settings = (await api.settings()).settings;
      this.#trouble = undefined;
    } catch (e) {
      this.#trouble = e.message;
    }
    this.#draw();
  }

  #draw() {
    render(html`<div class="page-head"><h1 tabindex="-1">Settings</h1></div>
      ${this.#store.mayAct ? nothing : html`<p class="soft">You may look. Changes need the role operator.</p>`}
      ${this.#trouble ? html`<div class="notice bad" role="alert"><p>${this.#trouble}</p></div>` : nothing}
      ${this.#settings === undefined ? (this.#trouble ? nothing : html`<div class="skeleton wide"></div>`)
        : html`<form class="settings" novalidate @submit=${(e) => this.#save(e)}>
          ${this.#settings.map((s) => this.#field(s))}
          ${this.#store.mayAct ? html`<div class="settings-foot">
            <button class="primary" type="submit" ?disabled=${this.#busy || this.#edited.size === 0}>
              Save ${this.#edited.size === 0 ? 'changes' : this.#edited.size === 1 ? '1 change' : this.#edited.size + ' changes'}</button>
            <button type="button" ?disabled=${this.#busy || this.#edited.size === 0} @click=${() => {
              this.#edited.clear();
              this.#wrong.clear();
              this.#draw();
            }}>Undo</button></div>` : nothing}
        </form>`}`, this.#root);
  }

  #field(s) {
    const text = this.#edited.get(s.name) ?? textOf(s.value);
    const wrong = this.#wrong.get(s.name);
    const id = 'setting-' + s.name;
    const shared = {id, wrong: wrong ? 'true' : 'false', off: !this.#store.mayAct || this.#busy};
    return html`<section class="panel setting">
      <div class="setting-name"><label for=${id}>${s.title}</label>
        ${s.changed ? html`<span class="badge work">Changed</span>` : nothing}
        ${this.#edited.has(s.name) ? html`<span class="badge warn">Not saved</span>` : nothing}</div>
      ${this.#control(s, text, shared)}
      <p class="field-error" id=${id + '-error'} role=${wrong ? 'alert' : 'presentation'}>${wrong ?? nothing}</p>
      <p class="soft small" id=${id + '-hint'}>${s.effect} Bounds: ${s.bounds}. Default:
        ${s.default === undefined ? s.whenEmpty ?? 'none' : textOf(s.default) || 'none'}.</p>
      ${s.changed && this.#store.mayAct ? html`<button type="button" class="quiet" ?disabled=${this.#busy}
        @click=${() => this.#send({[s.name]: null})}>Back to the default<span class="visually-hidden"> of ${s.title}</span></button>`
        : nothing}
    </section>`;
  }

  #control(s, text, {id, wrong, off}) {
    const described = `${id}-hint ${id}-error`;
    const edit = (value) => {
      value === textOf(s.value) ? this.#edited.delete(s.name) : this.#edited.set(s.name, value);
      this.#wrong.delete(s.name);
      this.#draw();
    };
    switch (s.type) {
      case 'boolean':
        return html`<input type="checkbox" id=${id} ?disabled=${off} .checked=${live(text === 'true')}
          aria-describedby=${described} @change=${(e) => edit(String(e.target.checked))}>`;
      case 'choice':
        return html`<select id=${id} ?disabled=${off} aria-describedby=${described} aria-invalid=${wrong}
          @change=${(e) => edit(e.target.value)}>${s.choices.map((c) => html`<option value=${c} .selected=${live(c === text)}>${c}</option>`)}
        </select>`;
      case 'list':
        return html`<textarea id=${id} rows="3" spellcheck="false" ?disabled=${off} aria-describedby=${described}
          aria-invalid=${wrong} placeholder="one a line" .value=${live(text)} @input=${(e) => edit(e.target.value)}></textarea>`;
      default:
        return html`<span class="with-unit"><input type="text" inputmode="numeric" id=${id} ?disabled=${off}
          aria-describedby=${described} aria-invalid=${wrong} .value=${live(text)} @input=${(e) => edit(e.target.value)}>
          ${s.unit}</span>`;
    }
  }

  #save(event) {
    event.preventDefault();
    const changes = {};
    for (const s of this.#settings.filter((it) => this.#edited.has(it.name))) {
      try {
        changes[s.name] = valueOf(s, this.#edited.get(s.name));
      } catch (e) {
        this.#wrong.set(s.name, e.message);
      }
    }
    if (this.#wrong.size > 0) {
      this.#draw();
      this.#root.querySelector('[aria-invalid="true"]')?.focus();
      return;
    }
    this.#send(changes);
  }

  async #send(changes) {
    this.#busy = true;
    this.#draw();
    try {
      const {results} = await api.changeSettings(changes);
      report('Settings', results);
      const rejected = results.find((r) => r.outcome === 'rejected');
      Object.keys(changes).forEach((name) => {
        if (rejected) {
          this.#wrong.set(name, rejected.reason);
        } else {
          this.#edited.delete(name);
        }
      });
      await this.#load();
    } catch (e) {
      if (e.field && this.#settings.some((s) => s.name === e.field)) {
        this.#wrong.set(e.field, e.message);
      } else {
        toast(e.message, 'bad');
      }
    }
    this.#busy = false;
    this.#draw();
    this.#root.querySelector('[aria-invalid="true"]')?.focus();
  }
}

function textOf(value) {
  return value === undefined ? '' : Array.isArray(value) ? value.join('\n') : String(value);
}

/** What is sent; an empty number takes the setting back to its default. */
function valueOf(s, text) {
  switch (s.type) {
    case 'boolean':
      return text === 'true';
    case 'choice':
      return text;
    case 'list':
      return text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
    default: {
      if (text.trim() === '') {
        return null;
      }
      const n = Number(text);
      if (!Number.isInteger(n) || n < s.min || n > s.max) {
        throw new Error(`It must be ${s.bounds}.`);
      }
      return n;
    }
  }
}
