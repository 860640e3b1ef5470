/** A type whose fields, at any depth, are only read. A text stays one, also as `string & {}`. */
export type Frozen<T> = T extends string ? T : T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T
