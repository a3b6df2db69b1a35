// One entry of the browser's history a visit of a page. Streamlit's server writes every parameter of the
// address as an entry of its own, which Back would lead through one by one; here they replace the entry
// that the visit has.
(() => {
  const { history } = window;
  if (Object.hasOwn(history, "pushState")) return; // once a tab
  const push = history.pushState.bind(history);
  const app = document.querySelector('[data-testid="stApp"]');
  const running = "data-test-script-state";
  let left = null; // the address that the page had before the present run of the script
  let leading = false; // the browser's Back or Forward leads, and not the page

  const settled = new MutationObserver(() => {
    if (app.getAttribute(running) === "notRunning") left = null;
  });
  settled.observe(app, { attributes: true, attributeFilter: [running] });
  window.addEventListener("popstate", () => { leading = true; left = null; });
  for (const input of ["click", "keydown"])
    window.addEventListener(input, () => { leading = false; }, true);

  history.pushState = (state, unused, url) => {
    if (new URL(url, document.baseURI).pathname === window.location.pathname) {
      // A page that is left has the parameters of the next one for a moment, until the path follows.
      left ??= window.location.href;
      history.replaceState(state, unused, url);
    } else if (!leading) { // else a page that was left meanwhile: it would cut off the way forward
      if (left) history.replaceState(state, unused, left);
      left = null;
      push(state, unused, url);
    }
  };
})();
