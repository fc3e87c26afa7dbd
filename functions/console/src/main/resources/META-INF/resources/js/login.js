// Signing in: by password here, or at the organisation's own page.
const form = document.getElementById('password');
const trouble = document.getElementById('trouble');

/** Where to go afterwards: only a path of this console, since the address may come from anywhere. */
function back() {
  const from = new URLSearchParams(location.search).get('from') ?? '/';
  try {
    const to = new URL(from, location.origin);
    return to.origin === location.origin && !to.pathname.startsWith('/login') ? to.pathname + to.search + to.hash : '/';
  } catch {
    return '/';
  }
}

/** The answer to «who am I» says by which method one signs in, also to somebody who has not yet. */
async function start() {
  try {
    const response = await fetch('/api/v1/me', {headers: {Accept: 'application/json'}, cache: 'no-store'});
    if (response.ok) {
      location.replace(back());
      return;
    }
    const {login} = await response.json();
    document.getElementById('oidc').hidden = login !== 'oidc';
    form.hidden = login === 'oidc';
  } catch {
    form.hidden = false;
    trouble.textContent = 'The console cannot be reached. Look whether it runs, then try again.';
  }
  form.elements.user.focus();
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  trouble.textContent = '';
  try {
    const response = await fetch('/api/v1/login', {
      method: 'POST',
      headers: {'Content-Type': 'application/json', 'X-Sluice': '1'},
      body: JSON.stringify({user: form.elements.user.value, password: form.elements.password.value}),
    });
    if (response.ok) {
      location.replace(back());
      return;
    }
    trouble.textContent = await reason(response);
    form.elements.password.select();
  } catch {
    trouble.textContent = 'The console cannot be reached. Look whether it runs, then try again.';
  } finally {
    button.disabled = false;
  }
});

async function reason(response) {
  try {
    const problem = await response.json();
    return problem.detail ?? problem.title;
  } catch {
    return response.status === 401 ? 'User or password is wrong.'
      : `The console answered with status ${response.status}.`;
  }
}

start();
