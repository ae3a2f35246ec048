import ts from 'typescript';

const FUNCTIONS = ['describe', 'it', 'test', 'itWithSql'];

/** The titles of a file's tests and groups, as they are written; `…` where a template has a hole. */
export function titlesOf(source: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && FUNCTIONS.includes(calleeOf(node))) {
      const title = node.arguments[0] === undefined ? undefined : textOf(node.arguments[0]);
      if (title !== undefined) titles.push(title);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('a.spec.ts', source, ts.ScriptTarget.Latest));
  return titles;
}

/** `it` of `it(…)`, of what hangs on it and of `it.each(…)(…)`; `itWithSql` of `context.itWithSql(…)`. */
function calleeOf(call: ts.CallExpression): string {
  let callee: ts.Expression = call.expression;
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) {
    if (ts.isPropertyAccessExpression(callee) && FUNCTIONS.includes(callee.name.text)) return callee.name.text;
    callee = callee.expression;
  }
  return ts.isIdentifier(callee) ? callee.text : '';
}

function textOf(argument: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(argument)) return argument.text;
  if (!ts.isTemplateExpression(argument)) return undefined;
  return [argument.head, ...argument.templateSpans.map(({ literal }) => literal)].map(({ text }) => text).join('…');
}

/** The names of an interface's own properties. */
export function propertiesOf(source: string, name: string): string[] {
  const { statements } = ts.createSourceFile('a.ts', source, ts.ScriptTarget.Latest);
  const found = statements.find((each) => ts.isInterfaceDeclaration(each) && each.name.text === name);
  const members = found !== undefined && ts.isInterfaceDeclaration(found) ? found.members : [];
  return members.flatMap((member) =>
    member.name !== undefined && ts.isIdentifier(member.name) ? [member.name.text] : [],
  );
}
