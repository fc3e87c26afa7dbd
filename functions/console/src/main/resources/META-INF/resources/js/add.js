// Adding tables: picked from what the source has, or by patterns, with options for all of them.
import {api} from './api.js';
import {confirmActions} from './confirm.js';
import {html, live, nothing, render, repeat} from './lib.js';
import {icon} from './icons.js';
import * as format from './format.js';

const SEARCH_MILLIS = 250;
const SHOWN = 300;

/** Opens the dialog; true once tables were asked for. */
export function addTables() {
  return new Promise((resolve) => new AddDialog(resolve).open());
}

class AddDialog {
  #resolve;
  #dialog = document.createElement('dialog');
  #listing;
  #trouble;
  #search = '';
  #picked = new Set();
  #patterns = '';
  #options = '';
  #timer;
  #asked = 0;

  constructor(resolve) {
    this.#resolve = resolve;
  }

  open() {
    this.#dialog.setAttribute('aria-labelledby', 'add-title');
    this.#dialog.className = 'add-dialog';
    this.#dialog.addEventListener('close', () => {
      clearTimeout(this.#timer);
      this.#dialog.remove();
      this.#resolve(false);
    });
    document.body.append(this.#dialog);
    this.#draw();
    this.#dialog.showModal();
    this.#list();
  }

  async #list() {
    const asked = ++this.#asked;
    try {
      const listing = await api.sourceTables(this.#search);
      if (asked === this.#asked) {
        this.#listing = listing;
        this.#trouble = undefined;
      }
    } catch (e) {
      this.#trouble = e.message;
    }
    this.#draw();
  }

  #draw() {
    const names = this.#names();
    render(html`
      <div class="dialog-head"><h2 id="add-title">Add tables</h2></div>
      <div class="dialog-body">
        <div class="field"><label for="add-search">Find tables of the source</label>
          <input id="add-search" type="search" autocomplete="off" spellcheck="false" .value=${live(this.#search)}
            @input=${(e) => this.#find(e.target.value)}></div>
        ${this.#tables()}
        <div class="field"><label for="add-patterns">Or names and patterns, one a line</label>
          <textarea id="add-patterns" rows="2" spellcheck="false" aria-describedby="add-patterns-hint"
            .value=${live(this.#patterns)} @input=${(e) => this.#set(() => {
              this.#patterns = e.target.value;
            })}></textarea>
          <p class="soft small" id="add-patterns-hint">* stands for any characters: <code>sales.*</code></p></div>
        <details class="field"><summary>Options: which columns and rows, and how</summary>
          <label for="add-options">Options as JSON, for all of these tables</label>
          <textarea id="add-options" rows="3" spellcheck="false" placeholder='{"exclude": ["note"], "where": "amount > 0"}'
            aria-invalid=${this.#trouble?.startsWith('Options') ? 'true' : 'false'} .value=${live(this.#options)}
            @input=${(e) => this.#set(() => {
              this.#options = e.target.value;
            })}></textarea></details>
        ${this.#trouble ? html`<p class="field-error" role="alert">${this.#trouble}</p>` : nothing}
      </div>
      <div class="dialog-foot">
        <button @click=${() => this.#dialog.close()}>Do nothing</button>
        <button class="primary" ?disabled=${names.length === 0} @click=${() => this.#add(names)}>
          ${icon('plus')}Add ${names.length === 0 ? '' : format.number(names.length)}</button>
      </div>`, this.#dialog);
  }

  #tables() {
    if (this.#listing === undefined) {
      return this.#trouble ? nothing : html`<div class="skeleton wide"></div>`;
    }
    const {tables, more} = this.#listing;
    const shown = tables.slice(0, SHOWN);
    const free = shown.filter((t) => !t.known && !t.refused);
    return html`<div class="add-list scroll-x" tabindex="0" role="region" aria-label="Tables of the source">
      <table class="plain"><thead><tr>
        <td><input type="checkbox" aria-label="Select all of these" .checked=${live(free.length > 0
          && free.every((t) => this.#picked.has(t.name)))} @change=${(e) => this.#set(() => {
            free.forEach((t) => (e.target.checked ? this.#picked.add(t.name) : this.#picked.delete(t.name)));
          })}></td>
        <th scope="col">Table</th><th scope="col" class="number">Rows, about</th><th scope="col" class="number">Size</th></tr></thead>
      <tbody>${repeat(shown, (t) => t.name, (t) => html`<tr>
        <td><input type="checkbox" aria-label=${'Pick ' + t.name} ?disabled=${t.known || t.refused !== undefined}
          .checked=${live(this.#picked.has(t.name))} @change=${(e) => this.#set(() => {
            e.target.checked ? this.#picked.add(t.name) : this.#picked.delete(t.name);
          })}></td>
        <th scope="row">${t.name}${t.known ? html` <span class="badge neutral">added already</span>` : nothing}
          ${t.refused ? html`<span class="field-error">${t.refused}</span>` : nothing}</th>
        <td class="number">${format.compact(t.rowsEstimated)}</td><td class="number">${format.bytes(t.bytes)}</td>
      </tr>`)}</tbody></table>
      ${tables.length === 0 ? html`<p class="soft">The source has no table of this name.</p>` : nothing}
      ${more || tables.length > SHOWN ? html`<p class="soft">There are more: narrow the search.</p>` : nothing}</div>`;
  }

  #find(text) {
    this.#search = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#list(), SEARCH_MILLIS);
  }

  #set(change) {
    change();
    this.#draw();
  }

  #names() {
    const typed = this.#patterns.split('\n').map((line) => line.trim()).filter((line) => line !== '');
    return [...new Set([...this.#picked, ...typed])];
  }

  async #add(names) {
    try {
      const extra = this.#options.trim() === '' ? {} : {options: JSON.parse(this.#options)};
      if (await confirmActions('add', names, extra)) {
        this.#resolve(true);
        this.#dialog.close();
      }
    } catch (e) {
      this.#trouble = e instanceof SyntaxError ? 'Options are not JSON: ' + e.message
        : (e.field ? `${e.field}: ` : '') + e.message;
      this.#draw();
    }
  }
}
