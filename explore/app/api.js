// The calls that the server answers.

/** What the server, or the way to it, has to say against a call. */
export class Failure extends Error {}

export async function call(name, parameters = {}, signal = undefined) {
    let response;
    try {
        response = await fetch(address(name, parameters), { signal });
    } catch (error) {
        throw error.name === 'AbortError' ? error : new Failure('the server does not answer: is the page still being served?');
    }
    const answer = await response.json().catch(() => null);
    if (!response.ok || answer === null) {
        throw new Failure(answer?.error ?? `the server answered ${response.status}`);
    }
    return answer;
}

export const address = (name, parameters) => `/api/${name}?${new URLSearchParams(parameters)}`;
