import { say } from "../strings/door";
import type { ProblemDetails } from "./schema";

/** What the server would not do, and what helps: every failure of a call becomes one of these. */
export class Problem extends Error {
  readonly code: string;
  readonly remedy: string;
  readonly status: number;
  readonly detail: string | undefined;
  readonly retryAt: Date | undefined;

  constructor(details: Pick<ProblemDetails, "code" | "remedy" | "status" | "title"> & Partial<ProblemDetails>) {
    super(details.title);
    this.name = "Problem";
    this.code = details.code;
    this.remedy = details.remedy;
    this.status = details.status;
    this.detail = details.detail ?? undefined;
    this.retryAt = details.retry_at ? new Date(details.retry_at) : undefined;
  }

  /** Whether the same call may well succeed in a moment. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The server could not be reached at all. */
export function unreachable(): Problem {
  const [title, remedy] = say.trouble.noAnswer;
  return new Problem({ code: "no-connection", title, remedy, status: 0 });
}

/** The problem in an answer that is none of ours, such as a proxy's. */
export function strange(status: number): Problem {
  const [title, remedy] = say.trouble.strange;
  return new Problem({ code: "strange", title, remedy, status });
}

export function isProblem(error: unknown): error is Problem {
  return error instanceof Problem;
}
