import { Component, type ReactNode } from "react";
import { say } from "../strings/door";
import { Button } from "../ui/Button";

/** Where a page breaks (or its code is no longer there after an upgrade) this stands in its place. */
export class Boundary extends Component<{ readonly children: ReactNode }, { readonly broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <div className="page" role="alert">
        <p className="mb-3 font-medium">{say.trouble.title}</p>
        <Button onClick={() => location.reload()}>{say.reload}</Button>
      </div>
    );
  }
}
