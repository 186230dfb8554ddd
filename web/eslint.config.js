import js from "@eslint/js";
import tseslint from "typescript-eslint";

// Who may know whom: wire <- live <- phone <- agent, board; ui and i18n are leaves.
const arrows = {
  wire: ["live", "phone", "agent", "board", "ui", "i18n"],
  live: ["phone", "agent", "board", "ui", "i18n"],
  phone: ["agent", "board", "ui", "i18n"],
  i18n: ["live", "phone", "agent", "board", "ui"],
  ui: ["live", "phone", "agent", "board"],
  agent: ["board"],
  board: ["phone", "agent"],
};

const E2E = [
  "Buffer", "URL", "clearInterval", "fetch", "process", "setInterval", "setTimeout",
  "RTCRtpSender", "WritableStream", "addEventListener", "document", "getComputedStyle", "innerHeight", "innerWidth", "localStorage", "performance",
];

export default tseslint.config(
  { ignores: ["dist", "**/node_modules", "src/wire/generated.ts"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js", "scripts/*.mjs"] }, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "no-console": "error",
      "@typescript-eslint/consistent-type-definitions": "off",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "max-lines": ["warn", { max: 500, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["warn", { max: 90, skipBlankLines: true, skipComments: true }],
    },
  },
  ...Object.entries(arrows).map(([layer, forbidden]) => ({
    files: [`src/${layer}/**/*.{ts,tsx}`],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: forbidden.map((one) => `../${one}/*`), message: `${layer}/ does not know it (web.md, layers)` }] },
      ],
    },
  })),
  { files: ["**/*.test.ts"], rules: { "max-lines-per-function": "off", "@typescript-eslint/no-non-null-assertion": "off" } },
  {
    files: ["scripts/*.mjs", "eslint.config.js"],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } },
    rules: { ...tseslint.configs.disableTypeChecked.rules, "no-console": "off" },
  },
  {
    // Half of it runs in node, half in the page under test.
    files: ["e2e/*.mjs"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { projectService: false }, globals: Object.fromEntries(E2E.map((name) => [name, "readonly"])) },
    rules: { "max-lines-per-function": "off", "no-undef": "error" },
  },
);
