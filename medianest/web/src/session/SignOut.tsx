import { useMutation } from "@tanstack/react-query";
import { say } from "../strings/house";
import { Icon } from "../ui/Icon";
import { inWords } from "../ui/Trouble";
import { signOut } from "./session";

/** The way out. It is out only when the server says so: until then the session could be gone on with. */
export function SignOut({ className }: { readonly className: string }) {
  const leaving = useMutation({ mutationFn: signOut });
  return (
    <>
      <button type="button" className={className} disabled={leaving.isPending} onClick={() => leaving.mutate()}>
        <Icon name="out" />
        {say.you.signOut}
      </button>
      {leaving.error && (
        <p role="alert" className="px-3 text-xs text-bad">
          {inWords(leaving.error).title}
        </p>
      )}
    </>
  );
}
