// The only place that names the paths of libraries; every other module imports from here.
export {html, svg, render, nothing} from '/webjars/lit-html/3.3.1/lit-html.js';
export {repeat} from '/webjars/lit-html/3.3.1/directives/repeat.js';
export {guard} from '/webjars/lit-html/3.3.1/directives/guard.js';
export {live} from '/webjars/lit-html/3.3.1/directives/live.js';
export {ref} from '/webjars/lit-html/3.3.1/directives/ref.js';
export {keyed} from '/webjars/lit-html/3.3.1/directives/keyed.js';
export {classMap} from '/webjars/lit-html/3.3.1/directives/class-map.js';
export {ifDefined} from '/webjars/lit-html/3.3.1/directives/if-defined.js';
