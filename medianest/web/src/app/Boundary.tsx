import { Component, type ReactNode } from "react";
import { say } from "../strings/door";
import { Button } from "../ui/Button";

interface BoundaryProps {
  readonly at?: string; // of the page: whoever goes on to another one leaves the broken one behind
  readonly children: ReactNode;
}

/** Where a page breaks (or its code is no longer there after an upgrade) this stands in its place. */
export class Boundary extends Component<BoundaryProps, { readonly broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override componentDidUpdate(before: BoundaryProps, was: { readonly broken: boolean }) {
    if (was.broken && before.at !== this.props.at) this.setState({ broken: false });
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
