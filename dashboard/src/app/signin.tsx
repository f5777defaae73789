/** Where a token is needed: swaps it for a session cookie, then loads the page anew. */

import { useSignal } from "@preact/signals";
import { ApiError } from "../data/api";
import { usePage } from "../data/context";
import { Command } from "../ui/empty";

export function SignIn() {
  const { api } = usePage();
  const said = useSignal("");
  const busy = useSignal(false);
  const submit = async (e: SubmitEvent) => {
    e.preventDefault();
    const token = new FormData(e.currentTarget as HTMLFormElement).get("token");
    busy.value = true;
    try {
      await api.post("/session", { token });
      location.reload();
    } catch (error) {
      said.value = error instanceof ApiError ? error.message : String(error);
      busy.value = false;
    }
  };
  return (
    <form class="sign-in" data-testid="sign-in" onSubmit={submit}>
      <h1>Sign in</h1>
      <label>
        Token
        <input name="token" type="password" autocomplete="current-password" required autofocus />
      </label>
      <button type="submit" class="primary" disabled={busy.value}>
        Sign in
      </button>
      <p role="alert">{said.value}</p>
      <p class="dim">A token is made on the machine that runs Alicia:</p>
      <Command text="alicia token create" />
    </form>
  );
}
