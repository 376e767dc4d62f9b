" Colours of Kamailio configurations.

if exists('b:current_syntax')
  finish
endif

syntax case match

" Names. A word at the start of a line with `=` after it is a parameter of the core; what is
" assigned to inside a block is always a variable.
syntax match kamailioFunction "\<\h\w*\ze\s*("
syntax match kamailioGlobal "^\s*\zs\h\w*\%(\.\h\w*\)*\ze\s*=[^=~]"

syntax keyword kamailioConditional if else switch case default
syntax keyword kamailioRepeat while
syntax keyword kamailioStatement return exit drop break
syntax keyword kamailioOperator and or not eq ne ieq ine mod strlen strempty defined selval
syntax match kamailioOperator "[-+*/=<>!&|^~]"
syntax match kamailioCast "(\%(int\|str\))"
syntax keyword kamailioBoolean yes no true false on off enable disable enabled disabled
syntax keyword kamailioValue method uri status from_uri to_uri src_ip src_port dst_ip dst_port
syntax keyword kamailioValue proto af myself snd_ip snd_port snd_proto snd_af
syntax keyword kamailioValue to_ip to_port to_proto to_af
syntax match kamailioValue "\<\%(msg:len\|uri:host\|uri:port\)\>"
syntax keyword kamailioModule loadmodule loadmodulex loadpath mpath modparam modparamx cfgengine
syntax keyword kamailioModule include_file import_file flags avpflags

syntax keyword kamailioFunction setflag resetflag isflagset forward forward_udp forward_tcp
syntax keyword kamailioFunction forward_tls forward_sctp force_rport add_local_rport
syntax keyword kamailioFunction force_tcp_alias strip strip_tail prefix rewritehost rewriteport
syntax keyword kamailioFunction rewriteuri rewriteuser revert_uri log

" Blocks and the names of routes.
syntax keyword kamailioBlock request_route reply_route onsend_route
syntax keyword kamailioBlock route failure_route branch_route onreply_route event_route
      \ nextgroup=kamailioRouteIndex,kamailioRouteCall skipwhite
syntax region kamailioRouteIndex matchgroup=kamailioDelimiter start="\[" end="\]" contained oneline
      \ contains=kamailioRouteName
syntax region kamailioRouteCall matchgroup=kamailioDelimiter start="(" end=")" contained oneline
      \ contains=kamailioRouteName,kamailioString,kamailioRawString,@kamailioVariables
syntax match kamailioRouteName "\<[[:alnum:]_:-]\+" contained

" Numbers and addresses.
syntax match kamailioNumber "\<\%(0x\x\+\|[01]\+b\|\d\+\)\>"
syntax match kamailioAddress "\<\d\{1,3}\%(\.\d\{1,3}\)\{3}\>"

" Variables: $name, $name(inner), $(name(inner)[index]{class.name,argument}).
syntax cluster kamailioVariables
      \ contains=kamailioVariable,kamailioExpression,kamailioSelect
syntax match kamailioVariable "\$\%(\h\w*\|?\)" nextgroup=kamailioInner
syntax region kamailioInner matchgroup=kamailioVariable start="(" end=")" contained oneline
      \ contains=@kamailioVariables,kamailioNested
syntax region kamailioExpression matchgroup=kamailioVariable start="\$(" end=")" oneline
      \ contains=kamailioNested,kamailioTransformation,@kamailioVariables
syntax region kamailioNested start="(" end=")" contained oneline transparent
      \ contains=kamailioNested,@kamailioVariables
syntax region kamailioTransformation matchgroup=kamailioDelimiter start="{" end="}" contained oneline
      \ contains=kamailioTransformationName,kamailioNested,@kamailioVariables
syntax match kamailioTransformationName "{\@1<=\a[[:alnum:]_.]*" contained
syntax match kamailioSelect "@\h\w*\%(\.\h\w*\|\[[^]]*\]\)*"

" Texts: the ones in single quotes have no escapes.
syntax region kamailioString start=+"+ skip=+\\\\\|\\"+ end=+"+
      \ contains=kamailioEscape,@kamailioVariables,@Spell
syntax region kamailioRawString start=+'+ end=+'+ contains=@kamailioVariables,@Spell
syntax match kamailioEscape +\\\%([nrat"\\]\|x\x\{1,2}\|\o\{2,3}\)+ contained

" Comments; those between /* and */ nest.
syntax keyword kamailioTodo TODO FIXME XXX NOTE contained
syntax match kamailioComment "#.*$" contains=kamailioTodo,@Spell
syntax match kamailioComment "//.*$" contains=kamailioTodo,@Spell
syntax region kamailioBlockComment start="/\*" end="\*/"
      \ contains=kamailioBlockComment,kamailioTodo,@Spell

" Directives look like comments and come after them here to win.
syntax match kamailioDirective "[#!]!\%(KAMAILIO\|OPENSER\|SER\|MAXCOMPAT\|ALL\)\s*$"
syntax match kamailioDirective "[#!]!\%(try\)\=\%(def\|undef\)\%(ine\)\=\>" nextgroup=kamailioDefined skipwhite
syntax match kamailioDirective "[#!]!redef\%(ine\)\=\>" nextgroup=kamailioDefined skipwhite
syntax match kamailioDirective "[#!]!\%(try\)\=defenvs\=\>" nextgroup=kamailioDefined skipwhite
syntax match kamailioDirective "[#!]!\%(defexps\=\|ifn\=def\)\>" nextgroup=kamailioDefined skipwhite
syntax match kamailioDirective "[#!]!\%(ifexp\|else\|endif\|subst\|substdefs\=\|include_file\|import_file\)\>"
syntax match kamailioDefined "\h\w*" contained

syntax sync minlines=300

highlight default link kamailioFunction Function
highlight default link kamailioGlobal Identifier
highlight default link kamailioConditional Conditional
highlight default link kamailioRepeat Repeat
highlight default link kamailioStatement Statement
highlight default link kamailioOperator Operator
highlight default link kamailioCast Type
highlight default link kamailioBoolean Boolean
highlight default link kamailioValue Special
highlight default link kamailioModule Include
highlight default link kamailioBlock Structure
highlight default link kamailioRouteName Label
highlight default link kamailioRouteIndex Label
highlight default link kamailioDelimiter Delimiter
highlight default link kamailioNumber Number
highlight default link kamailioAddress Number
highlight default link kamailioVariable Identifier
highlight default link kamailioInner Constant
highlight default link kamailioExpression Identifier
highlight default link kamailioTransformation Constant
highlight default link kamailioTransformationName Type
highlight default link kamailioSelect Identifier
highlight default link kamailioString String
highlight default link kamailioRawString String
highlight default link kamailioEscape SpecialChar
highlight default link kamailioTodo Todo
highlight default link kamailioComment Comment
highlight default link kamailioBlockComment Comment
highlight default link kamailioDirective PreProc
highlight default link kamailioDefined Macro

let b:current_syntax = 'kamailio'
