import { Link } from "wouter";
import { SignOut } from "../session/SignOut";
import { useMe } from "../session/useMe";
import { say } from "../strings/house";
import { Button, buttonLook } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Sheet } from "../ui/Sheet";
import { routes } from "./routes";
import { type Theme, useTheme } from "./theme";

const THEMES: readonly Theme[] = ["dark", "light"];

/** Who one is, how it looks, and the way out: on phones, where there is no sidebar. */
export default function You({ onClose }: { readonly onClose: () => void }) {
  const me = useMe().data;
  const [theme, setTheme] = useTheme();
  return (
    <Sheet title={me?.name ?? say.you.title} lead={me ? say.you.role[me.role] : ""} onClose={onClose}>
      <fieldset className="mb-4">
        <legend className="mb-2 text-sm text-quiet">{say.you.theme.label}</legend>
        <div className="grid grid-cols-2 gap-2">
          {THEMES.map((one) => (
            <Button key={one} aria-pressed={theme === one} className="aria-pressed:ring-2 aria-pressed:ring-accent" onClick={() => setTheme(one)}>
              <Icon name={one === "light" ? "sun" : "moon"} />
              {say.you.theme[one]}
            </Button>
          ))}
        </div>
      </fieldset>
      <div className="mb-2 grid gap-2">
        {me?.permissions.includes("accounts.view") && (
          <Link href={routes.admin} className={buttonLook()} onClick={onClose}>
            <Icon name="admin" />
            {say.nav.admin}
          </Link>
        )}
        <Link href={routes.help} className={buttonLook()} onClick={onClose}>
          <Icon name="help" />
          {say.help.title}
        </Link>
        <Link href={routes.devices} className={buttonLook()} onClick={onClose}>
          <Icon name="devices" />
          {say.nav.devices}
        </Link>
      </div>
      <SignOut className={`${buttonLook()} w-full`} />
    </Sheet>
  );
}
