// The menu of actions of one table. There is one menu for all rows; it opens where it is asked for.
import {html, render} from './lib.js';
import {icon} from './icons.js';
import {ACTIONS} from './states.js';

let menu;

/** True while the menu is open. */
export function menuIsOpen() {
  return menu?.matches(':popover-open') === true;
}

/** Opens the menu at a button; `take` is called with the action that is chosen. */
export function openMenu(button, label, actions, take) {
  menu ??= make();
  const choose = (action) => {
    menu.hidePopover();
    take(action);
  };
  menu.setAttribute('aria-label', label);
  render(actions.filter((a) => ACTIONS[a]).map((a) => html`
    <button role="menuitem" tabindex="-1" class=${ACTIONS[a].harsh ? 'harsh' : ''} @click=${() => choose(a)}>
      ${icon(ACTIONS[a].icon)}${ACTIONS[a].label}</button>`), menu);
  menu.showPopover();
  place(button.getBoundingClientRect());
  menu.querySelector('button')?.focus();
}

function make() {
  const element = document.createElement('div');
  element.className = 'menu';
  element.popover = 'auto';
  element.setAttribute('role', 'menu');
  element.addEventListener('keydown', onKey);
  addEventListener('scroll', () => menuIsOpen() && element.hidePopover(), {passive: true});
  document.body.append(element);
  return element;
}

function place(at) {
  const {offsetWidth: width, offsetHeight: height} = menu;
  const below = at.bottom + height + 8 < innerHeight;
  menu.style.left = Math.max(8, Math.min(at.right - width, innerWidth - width - 8)) + 'px';
  menu.style.top = Math.max(8, below ? at.bottom + 2 : at.top - height - 2) + 'px';
}

function onKey(event) {
  const items = [...menu.querySelectorAll('button')];
  const at = items.indexOf(document.activeElement);
  const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1}[event.key];
  if (to !== undefined) {
    event.preventDefault();
    items[(to + items.length) % items.length].focus();
  } else if (event.key === 'Tab') {
    menu.hidePopover();
  }
}
